import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';

const ints = (...values: number[]) => tensorFrom('int64', [values.length], values);

function graphOf(build: (builder: GraphBuilder) => string, opset = 21): Graph {
  const builder = new GraphBuilder({ opset });
  builder.output(build(builder));
  return builder.build();
}

test('rewrites feed each other until nothing is left to do', () => {
  // The Identity hides the BatchNormalization from the Conv; the computed scale hides it too.
  const graph = graphOf((b) => {
    const x = b.input('x', 'float32', ['N', 1, 2, 2]);
    const vector = (value: number) => b.initializer(tensorFrom('float32', [1], [value]), `v${value}`);
    const conv = b.node('Conv', [x, b.initializer(tensorFrom('float32', [1, 1, 1, 1], [2]), 'w')]);
    const scale = b.node('Mul', [vector(2), vector(3)]);
    const norm = b.node('BatchNormalization', [b.node('Identity', [conv]), scale, vector(1), vector(0), vector(4)]);
    return b.node('Sub', [norm, vector(5)]);
  }, 15);
  const { graph: prepared, diagnostics } = prepare(graph, { verify: true });
  expect(diagnostics).toEqual([]);
  expect(prepared.nodes.map(({ op }) => op)).toEqual(['Conv']);
});

test.each<[string, (b: GraphBuilder) => string, string[]]>([
  [
    'constants that do not broadcast',
    (b) => b.node('Relu', [b.node('Add', [b.initializer(ints(1, 2), 'a'), b.initializer(ints(1, 2, 3), 'b')])]),
    ['shape-mismatch'],
  ],
  [
    'an index out of range',
    (b) =>
      b.node('Relu', [
        b.node('Gather', [b.initializer(tensorFrom('float32', [2], [1, 2]), 'a'), b.initializer(ints(7), 'i')]),
      ]),
    ['bad-index'],
  ],
  [
    'an input of another type',
    (b) => b.node('Squeeze', [b.initializer(ints(1), 'a'), b.initializer(tensorFrom('float32', [1], [0]), 'f')]),
    ['schema'],
  ],
])('%s is reported, not thrown', (_, build, kinds) => {
  const { graph, diagnostics } = prepare(graphOf(build, 11), { verify: true });
  expect(diagnostics.map(({ kind }) => kind)).toEqual(kinds);
  expect(graph.nodes.length).toBeGreaterThan(0);
});

test('a declared extent beyond reason costs nothing', () => {
  const graph = graphOf((b) => {
    const shape = b.input('shape', 'int64', [2 ** 40]);
    const filled = b.node('ConstantOfShape', [shape]);
    return b.node('Reshape', [b.node('Expand', [filled, shape]), b.node('Concat', [shape, shape], { axis: 0 })]);
  });
  expect(prepare(graph).diagnostics).toEqual([]);
});

test('a large constant is not unrolled from a small one', () => {
  const graph = graphOf((b) => {
    const big = b.node('ConstantOfShape', [b.initializer(ints(1000, 1000), 'shape')]);
    return b.node('Add', [big, b.input('x', 'float32', [1])]);
  });
  expect(prepare(graph).graph.nodes.map(({ op }) => op)).toEqual(['ConstantOfShape', 'Add']);
});

test('binds shapes before everything else', () => {
  const graph = graphOf((b) => {
    const x = b.input('x', 'float32', ['N', 4]);
    return b.node('Relu', [b.node('Reshape', [x, b.node('Shape', [x])])]);
  });
  const { graph: prepared } = prepare(graph, { shapes: { N: 2 } });
  expect(prepared.values.get(prepared.inputs[0])?.shape).toEqual([2, 4]);
  expect(prepared.nodes.map(({ op }) => op)).toEqual(['Relu']);
});

test('nothing is said of operators that have been taken apart, all of those that are left', () => {
  const graph = graphOf((b) => {
    const grid = [b.initializer(tensorFrom('float32', [], [0.5])), b.initializer(tensorFrom('uint8', [], [3]))];
    const x = [b.input('x', 'uint8', [4]), ...grid];
    const sum = b.node('QLinearAdd', [...x, ...x, ...grid], {}, { domain: 'com.microsoft' });
    return b.node('Unheard', [sum], {}, { domain: 'com.acme' });
  });
  expect(prepare(graph).diagnostics).toMatchObject([{ kind: 'unknown-operator', where: 'unheard' }]);
});
