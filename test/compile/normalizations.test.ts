import { compile, diagnose } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorOf } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';
import { float } from '../ops/op-case';
import { arrayOf, compiled, HASH, runEngine, runReference } from './run-case';
import { feedsOf, type Sketch, sketch } from './small-graphs';

const rng = new Rng(3);

function normal(...dims: number[]): Tensor {
  return tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => rng.normal()),
  );
}

/** How far the engine is from onnxruntime, at worst; relative for numbers above 1. */
async function distance(graph: Graph): Promise<number> {
  const feeds = feedsOf(graph);
  const [name] = graph.outputs;
  const expected = arrayOf((await runReference(graph, feeds)).get(name)!);
  const found = runEngine(compiled(graph).plan, feeds, 2)[name];
  expect(found.length).toBe(expected.length);
  return Math.max(...Array.from(expected, (value, i) => Math.abs(found[i] - value) / (1 + Math.abs(value))));
}

function operations(graph: Graph): string[] {
  return compiled(graph).description.variants[0].nodes.map(({ op }) => op);
}

const image = (b: GraphBuilder) => b.input('x', 'float32', [1, 3, 8, 8]);
const convolved = (b: GraphBuilder) => b.node('Conv', [image(b), b.initializer(normal(12, 3, 3, 3), 'w')]);
const given = (b: GraphBuilder, ...dims: number[]) => b.initializer(normal(...dims), 'given');

type Draw = (b: GraphBuilder, s: Sketch) => string;

test('BatchNormalization with computed statistics', async () => {
  const graph = sketch((b) => {
    const variance = b.node('Abs', [b.input('v', 'float32', [12])]);
    return [
      b.node('Relu', [
        b.node('BatchNormalization', [
          convolved(b),
          given(b, 12),
          given(b, 12),
          b.input('m', 'float32', [12]),
          variance,
        ]),
      ]),
    ];
  });
  expect(await distance(graph)).toBeLessThan(1e-4);
});

/** Between convolutions, where images lie with their channels last: nothing is copied. */
const BETWEEN: readonly (readonly [what: string, steps: readonly string[], draw: Draw])[] = [
  [
    'InstanceNormalization',
    ['normalize_f32'],
    (b) => b.node('InstanceNormalization', [convolved(b), given(b, 12), given(b, 12)]),
  ],
  [
    'GroupNormalization',
    ['normalize_f32'],
    (b) => b.node('GroupNormalization', [convolved(b), given(b, 12), given(b, 12)], { num_groups: 4 }),
  ],
  [
    'MeanVarianceNormalization',
    ['normalize_f32'],
    (b) => b.node('MeanVarianceNormalization', [convolved(b)], { axes: [0, 2, 3] }),
  ],
  [
    'LpNormalization over channels',
    ['reduce_f32', 'copy_nd', 'binary_f32'],
    (b) => b.node('LpNormalization', [convolved(b)], { axis: 1 }),
  ],
  [
    'LogSoftmax over channels',
    ['reduce_f32', 'copy_nd', 'binary_f32'],
    (b) => b.node('LogSoftmax', [convolved(b)], { axis: 1 }),
  ],
  [
    'BatchNormalization that something else reads in front of',
    ['binary_f32', 'binary_f32'],
    (b) => {
      const x = convolved(b);
      const variance = b.initializer(
        tensorOf(
          'float32',
          [12],
          Float32Array.from({ length: 12 }, (_, i) => 0.5 + i),
        ),
        'var',
      );
      const y = b.node('BatchNormalization', [x, given(b, 12), given(b, 12), given(b, 12), variance], {
        epsilon: float(1e-3),
      });
      return b.node('Concat', [b.node('Relu', [y]), x], { axis: 1 });
    },
  ],
];

test.each(BETWEEN)('%s between convolutions', async (_, steps, draw) => {
  const graph = sketch((b, s) => {
    const value = draw(b, s);
    return [b.node('GlobalAveragePool', [value])];
  });
  const found = operations(graph);
  const at = found.indexOf('conv_f32') + 1;
  expect(found.slice(at, at + steps.length)).toEqual(steps);
  expect(await distance(graph)).toBeLessThan(2e-5);
});

test.each<[what: string, steps: readonly string[], draw: Draw]>([
  [
    'rows of tokens',
    ['normalize_f32'],
    (b) =>
      b.node('LayerNormalization', [b.node('Relu', [b.input('x', 'float32', [4, 20])]), given(b, 20), given(b, 20)]),
  ],
  [
    'two axes, one scale for the last',
    ['normalize_f32'],
    (b) =>
      b.node('LayerNormalization', [b.node('Relu', [b.input('x', 'float32', [4, 3, 20])]), given(b, 20)], { axis: 1 }),
  ],
  [
    'the channels of an image that lies with its channels last',
    ['normalize_f32'],
    (b) =>
      b.node('LayerNormalization', [
        b.node('Transpose', [convolved(b)], { perm: [0, 2, 3, 1] }),
        given(b, 12),
        given(b, 12),
      ]),
  ],
  [
    'computed factors',
    ['normalize_f32'],
    (b) =>
      b.node('LayerNormalization', [
        b.node('Relu', [b.input('x', 'float32', [4, 5])]),
        b.node('Abs', [b.input('s', 'float32', [5])]),
      ]),
  ],
  [
    'one computed factor for all',
    ['copy_nd', 'normalize_f32'],
    (b) =>
      b.node('LayerNormalization', [
        b.node('Relu', [b.input('x', 'float32', [4, 5])]),
        b.node('Abs', [b.input('s', 'float32', [1])]),
      ]),
  ],
])('LayerNormalization of %s', async (_, steps, draw) => {
  const graph = sketch((b, s) => [b.node('Sigmoid', [draw(b, s)])]);
  const found = operations(graph);
  const at = found.indexOf('normalize_f32') + 1;
  expect(found.slice(at - steps.length, at)).toEqual(steps);
  expect(await distance(graph)).toBeLessThan(2e-5);
});

test.each([
  ['y', 'mean', 'inverse'],
  ['y', 'mean'],
  ['y', '', 'inverse'],
])('LayerNormalization gives %s %s %s', async (...outputs) => {
  const graph = sketch((b) => {
    const image = b.node('Transpose', [convolved(b)], { perm: [0, 2, 3, 1] });
    b.nodes('LayerNormalization', [image, given(b, 6, 12)], outputs.length, { axis: 2 }, { outputs });
    return outputs.filter((name) => name !== '');
  });
  const feeds = feedsOf(graph);
  const expected = await runReference(graph, feeds);
  const found = runEngine(compiled(graph).plan, feeds);
  for (const name of graph.outputs)
    for (const [i, value] of arrayOf(expected.get(name)!).entries())
      expect(Math.abs((found[name][i] as number) - value)).toBeLessThan(1e-5 * (1 + Math.abs(value)));
});

test.each<[what: string, message: RegExp, draw: Draw]>([
  [
    'statistics of batches',
    /statistics of batches/,
    (b) => b.node('BatchNormalization', [image(b), ...[1, 2, 3, 4].map(() => given(b, 3))], { training_mode: 1 }),
  ],
  [
    'an epsilon without end',
    /epsilon is Infinity/,
    (b) =>
      b.node('InstanceNormalization', [image(b), given(b, 3), given(b, 3)], {
        epsilon: { kind: 'float', value: Number.POSITIVE_INFINITY },
      }),
  ],
  [
    'factors that differ between rows',
    /same factors for all/,
    (b) => b.node('LayerNormalization', [b.input('x', 'float32', [2, 3]), given(b, 2, 3)]),
  ],
])('refuses %s', (_, message, draw) => {
  const graph = sketch((b, s) => [draw(b, s)]);
  expect(
    diagnose(prepare(graph).graph)
      .map(({ message: text }) => text)
      .join(),
  ).toMatch(message);
});

test('RMSNormalization keeps the opset that has it', async () => {
  const b = new GraphBuilder({ opset: 24 });
  b.output(b.node('RMSNormalization', [b.node('Relu', [b.input('x', 'float32', [4, 20])]), given(b, 20)]));
  const { graph, diagnostics } = prepare(b.build());
  expect(diagnostics).toEqual([]);
  expect(graph.opsets.get('')).toBe(24);
  const feeds = feedsOf(graph);
  const [name] = graph.outputs;
  const expected = arrayOf((await runReference(graph, feeds)).get(name)!);
  const found = runEngine(compile(graph, { sourceHash: HASH }).plan, feeds)[name];
  expect(expected.filter((value, i) => !(Math.abs(found[i] - value) <= 1e-5))).toEqual(new Float32Array());
});
