import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { floats, uniform } from '../ops/op-case';

/** One step of an LSTM: x [1, 1, 4] and the states h and c [1, 1, 8]. */
function lstmStep(): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 1, 4]);
  const [h, c] = [b.input('h', 'float32', [1, 1, 8]), b.input('c', 'float32', [1, 1, 8])];
  const weights = [uniform([1, 32, 4], 1), uniform([1, 32, 8], 2), uniform([1, 64], 3)].map((tensor) =>
    b.initializer(tensor, 'w'),
  );
  const outputs = b.nodes('LSTM', [x, ...weights, '', h, c], 3, { hidden_size: 8 }, { outputs: ['y', 'hn', 'cn'] });
  for (const output of outputs) b.output(output);
  return b.build();
}

/** Attention of one token [1, width] over a cache: keys and values [places, width] are kept, the token is written at its place. */
function decoderStep(places: number, width: number): Graph {
  const b = new GraphBuilder();
  const [x, at] = [b.input('x', 'float32', [1, width]), b.input('at', 'int64', [1, 1])];
  const cached = ['keys', 'values'].map((name, index) => {
    const made = b.node('MatMul', [x, b.initializer(uniform([width, width], 5 + index), 'w')]);
    return b.node('ScatterND', [b.input(name, 'float32', [places, width]), at, made], {}, { outputs: [`${name}_out`] });
  });
  const scores = b.node('MatMul', [x, b.node('Transpose', [cached[0]], { perm: [1, 0] })]);
  const seen = b.node('LessOrEqual', [
    b.initializer(tensorFrom('int64', [1, places], [...Array(places).keys()]), 'places'),
    at,
  ]);
  const masked = b.node('Where', [seen, scores, b.initializer(floats([-1e30], [1]), 'least')]);
  b.output(b.node('MatMul', [b.node('Softmax', [masked]), cached[1]], {}, { outputs: ['y'] }));
  for (const output of cached) b.output(output);
  return b.build();
}

/** Networks that keep tensors from run to run, with the input and output of each. */
export const STATE_NETWORKS: readonly (readonly [name: string, graph: Graph, states: ReadonlyMap<string, string>])[] = [
  [
    'LSTM',
    lstmStep(),
    new Map([
      ['h', 'hn'],
      ['c', 'cn'],
    ]),
  ],
  [
    'decoder with a cache of keys and values',
    decoderStep(6, 4),
    new Map([
      ['keys', 'keys_out'],
      ['values', 'values_out'],
    ]),
  ],
  [
    'decoder with a long cache',
    decoderStep(96, 32),
    new Map([
      ['keys', 'keys_out'],
      ['values', 'values_out'],
    ]),
  ],
];

/** A network over images of any size: convolution, pool, mean, a layer. */
export function imageNetwork(): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 3, 'height', 'width']);
  const conv = b.node('Conv', [x, b.initializer(uniform([8, 3, 3, 3], 1), 'w')], { pads: [1, 1, 1, 1] });
  const pooled = b.node('MaxPool', [b.node('Relu', [conv])], { kernel_shape: [2, 2], strides: [2, 2] });
  const mean = b.node('Flatten', [b.node('GlobalAveragePool', [pooled])]);
  b.output(b.node('MatMul', [mean, b.initializer(uniform([8, 5], 2), 'fc')], {}, { outputs: ['y'] }));
  return b.build();
}

/** Extents of images, one variant each. */
export const IMAGE_SIZES = [
  [8, 8],
  [16, 12],
  [6, 20],
];
