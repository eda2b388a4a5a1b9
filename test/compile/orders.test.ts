import type { Graph } from '../../lib/ir/graph';
import { toNumbers } from '../../lib/ir/tensor';
import { compiled, runEngine, runReference } from './run-case';
import { feedsOf, sketch } from './small-graphs';

const POOL = { kernel_shape: [2, 2] };

/** Every output as onnxruntime gives it. */
async function expectExact(graph: Graph): Promise<void> {
  const feeds = feedsOf(graph);
  const expected = await runReference(graph, feeds);
  const found = runEngine(compiled(graph).plan, feeds, 2);
  for (const name of graph.outputs) expect(Array.from(found[name], Number)).toEqual(toNumbers(expected.get(name)!));
}

function operations(graph: Graph): string[] {
  return compiled(graph).description.variants[0].nodes.map(({ op }) => op);
}

test.each([
  [0, 0],
  [1, 1],
  [2, 0],
  [-1, 1],
])('places of extremes of an image that lies with its channels last, along axis %d', async (axis, keepdims) => {
  for (const op of ['ArgMax', 'ArgMin']) {
    const graph = sketch((b) => {
      const image = b.node('MaxPool', [b.input('x', 'float32', [2, 5, 4, 5])], POOL);
      return [b.node(op, [image], { axis, keepdims })];
    });
    const found = operations(graph);
    expect(found[found.indexOf('arg_extreme') - 1]).toBe('max_pool_f32');
    await expectExact(graph);
  }
});

test('places of int8 are those of its codes', async () => {
  const graph = sketch((b, s) => [b.node('ArgMax', [s.pair(b.input('x', 'float32', [4, 30]))], { axis: 1 })]);
  expect(operations(graph)).not.toContain('dequantize_s8');
  await expectExact(graph);
});

test.each([0, 1, 2])('the best along axis %d, with and without their places', async (axis) => {
  for (const read of [['values', 'places'], ['values'], ['places']])
    await expectExact(
      sketch((b, s) => {
        const x = b.node('MaxPool', [b.input('x', 'float32', [2, 5, 4, 5])], POOL);
        const rows = b.node('Reshape', [x, s.ints(2, 5, 12)]);
        b.nodes('TopK', [rows, s.ints(2)], 2, { axis, largest: 0 }, { outputs: ['values', 'places'] });
        return read;
      }),
    );
});

test.each([0, 1, 3])('sums along axis %d', async (axis) => {
  for (const exclusive of [0, 1])
    await expectExact(
      sketch((b, s) => {
        const image = b.node('Round', [b.node('MaxPool', [b.input('x', 'float32', [2, 5, 4, 5])], POOL)]);
        return [b.node('CumSum', [image, s.ints(axis)], { exclusive, reverse: 1 - exclusive })];
      }),
    );
});

test('a TopK feeds what reads its places', async () => {
  const graph = sketch((b, s) => {
    const x = b.input('x', 'float32', [4, 9]);
    const [values, places] = b.nodes('TopK', [x, s.ints(3)], 2, { axis: 1 });
    return [b.node('Sub', [b.node('GatherElements', [x, places], { axis: 1 }), values])];
  });
  await expectExact(graph);
});
