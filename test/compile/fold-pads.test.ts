import { compile } from '../../lib/compile/compile';
import type { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { readModelFile } from '../../lib/onnx/read-model';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { readPlan } from '../../lib/plan/reader';
import { casePath, describeWithCases } from '../data';
import { HASH, runEngine } from './run-case';
import { feedsOf, type Sketch, sketch } from './small-graphs';

const image = (b: GraphBuilder) => b.input('x', 'float32', [1, 4, 7, 6]);
const window = (b: GraphBuilder, op: string, x: string, more = {}) =>
  b.node(op, [x], { kernel_shape: [3, 3], ...more });

/** Pads that a window takes over, and the operation that computes it. */
const FOLDED: readonly (readonly [what: string, op: string, draw: (b: GraphBuilder, s: Sketch) => string])[] = [
  [
    'a float convolution, uneven',
    'conv_f32',
    (b, s) => s.conv(b.node('Pad', [image(b), s.ints(0, 0, 2, 0, 0, 0, 1, 3)]), 4, 3, { strides: [2, 1] }),
  ],
  [
    'a float convolution in whose padding a whole window lies',
    'conv_f32',
    (b, s) => s.conv(b.node('Pad', [image(b), s.ints(0, 0, 5, 0, 0, 0, 0, 0)]), 4, 3),
  ],
  [
    'an int8 convolution behind the pair of the padded values',
    'conv_s8',
    (b, s) => s.pair(s.conv(s.pair(b.node('Pad', [image(b), s.ints(0, 0, 0, 1, 0, 0, 2, 0)])), 4, 5)),
  ],
  [
    'an int8 convolution between pairs on two grids',
    'conv_s8',
    (b, s) => {
      const padded = b.node('Pad', [s.pair(image(b), 2 ** -5, 90), s.ints(1, 1), s.scalar(0.02), s.ints(3)]);
      return s.pair(s.conv(s.pair(padded), 4, 5, { dilations: [2, 1] }));
    },
  ],
  [
    'a convolution by channel',
    'dwconv_s8',
    (b, s) => {
      const padded = s.pair(b.node('Pad', [s.pair(image(b)), s.ints(0, 0, 1, 1, 0, 0, 1, 1)]));
      return s.pair(b.node('Conv', [padded, s.weights([4, 1, 3, 3])], { group: 4 }));
    },
  ],
  [
    'codes in front of a convolution',
    'conv_s8',
    (b, s) => {
      const padded = b.node('Pad', [s.quantize(image(b)), s.ints(0, 0, 1, 1, 0, 0, 1, 1), s.scalar(100, 'uint8')]);
      const value = b.node('DequantizeLinear', [padded, s.scalar(2 ** -4), s.scalar(100, 'uint8')]);
      return s.pair(s.conv(value, 4, 5));
    },
  ],
  [
    'a float maximum',
    'max_pool_f32',
    (b, s) => {
      const padded = b.node('Pad', [image(b), s.ints(0, 0, 1, 2, 0, 0, 2, 1), s.scalar(Number.NEGATIVE_INFINITY)]);
      return window(b, 'MaxPool', padded, { strides: [2, 2] });
    },
  ],
  [
    'an int8 maximum around the lowest code',
    'max_pool_s8',
    (b, s) => {
      const padded = b.node('Pad', [s.pair(image(b)), s.ints(0, 0, 1, 1, 0, 0, 1, 1), s.scalar(-100)]);
      return window(b, 'MaxPool', s.pair(padded), { pads: [1, 0, 0, 1] });
    },
  ],
  [
    'a float mean',
    'average_pool_f32',
    (b, s) => window(b, 'AveragePool', b.node('Pad', [image(b), s.ints(0, 0, 1, 0, 0, 0, 2, 1)])),
  ],
  [
    'an int8 mean that counts its own padding too',
    'average_pool_s8',
    (b, s) => {
      const padded = s.pair(b.node('Pad', [s.pair(image(b)), s.ints(0, 0, 1, 0, 0, 0, 1, 1)]));
      return s.pair(window(b, 'AveragePool', padded, { pads: [1, 1, 1, 1], count_include_pad: 1 }));
    },
  ],
];

const opsOf = (plan: Uint8Array) => readPlan(plan).variants[0].nodes.map(({ op }) => op);

/** Plans of a graph as it stands and with its pads folded give the same bytes. */
function expectFolded(graph: Graph, op: string): void {
  const standing = compile(inferShapes(graph).graph, { sourceHash: HASH }).plan;
  const folded = compile(prepare(graph, { pads: 'fold', verify: true }).graph, { sourceHash: HASH }).plan;
  expect(opsOf(standing)).toContain('fill');
  expect(opsOf(folded)).not.toContain('fill');
  expect(opsOf(folded)).toContain(op);
  for (const seed of [3, 4]) {
    const feeds = feedsOf(graph, seed);
    expect(runEngine(folded, feeds)).toEqual(runEngine(standing, feeds));
  }
}

test.each(FOLDED)('%s: folded, every byte is the same', (_, op, draw) => {
  expectFolded(
    sketch((b, s) => [draw(b, s)]),
    op,
  );
});

describeWithCases('cases', () => {
  test('padconv: the pads of an int8 convolution fold', async () => {
    expectFolded(await readModelFile(casePath('padconv.onnx')), 'conv_s8');
  });
});
