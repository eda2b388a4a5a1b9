import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { DIALECT_OPSET } from '../../lib/ops/operator';

test('builds a valid graph with fresh names', () => {
  const builder = new GraphBuilder({ name: 'net' });
  const x = builder.input('x', 'float32', ['N', 2]);
  const w = builder.initializer(tensorFrom('float32', [2], [1, 2]), 'w');
  const w2 = builder.initializer(tensorFrom('float32', [2], [3, 4]), 'w');
  const a = builder.node('Add', [x, w]);
  const b = builder.node('Add', [a, w2]);
  const [values, indices] = builder.nodes('TopK', [b, builder.initializer(tensorFrom('int64', [1], [1]))], 2, {
    axis: 1,
  });
  builder.output(values, 'float32', ['N', 1]);
  builder.output(indices, 'int64', ['N', 1]);
  const graph = builder.build();
  expect(verify(graph)).toEqual([]);
  expect([w, w2, a, b, values, indices]).toEqual(['w', 'w_1', 'add', 'add_1', 'topk', 'topk_1']);
  expect(graph.nodes.map((node) => node.name)).toEqual(['add', 'add_1', 'topk']);
  expect(graph.opsets.get('')).toBe(DIALECT_OPSET);
});

test('goes on from a graph without touching it', () => {
  const first = new GraphBuilder();
  first.input('x', 'float32', [1]);
  first.output(first.node('Relu', ['x']));
  const graph = first.build();
  const second = new GraphBuilder({ from: graph });
  second.output(second.node('Relu', ['relu']));
  const longer = second.build();
  expect(graph.nodes).toHaveLength(1);
  expect(longer.nodes.map((node) => node.name)).toEqual(['relu', 'relu_1']);
  expect(longer.outputs).toEqual(['relu', 'relu_1']);
});

test('refuses double definitions, unknown outputs and changes after build', () => {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [1]);
  expect(() => builder.input('x', 'float32', [1])).toThrow(/defined twice/);
  expect(() => builder.output('nothing')).toThrow(/not made by anything/);
  builder.build();
  expect(() => builder.node('Relu', ['x'])).toThrow(/already built/);
});
