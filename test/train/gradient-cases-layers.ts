import { float, floats, type OpCase, uniform } from '../ops/op-case';
import type { GradientCase } from './gradient-cases';

function batchNorm(title: string, dims: readonly number[], attributes: OpCase['attributes'] = {}): GradientCase {
  const channels = [dims[1]];
  const variance = floats(Array.from({ length: dims[1] }, (_, c) => 0.3 + c / 4));
  const inputs = [uniform(dims), uniform(channels, 2), uniform(channels, 3), uniform(channels, 4), variance];
  return { op: 'BatchNormalization', title, attributes, inputs };
}

function trainingBatchNorm(title: string, dims: readonly number[], attributes: OpCase['attributes'] = {}) {
  // The old statistics do not touch the output.
  return { ...batchNorm(title, dims, { ...attributes, training_mode: 1 }), varied: 3 };
}

function layerNorm(
  title: string,
  axis: number,
  dims: readonly number[],
  attributes: NonNullable<OpCase['attributes']>,
): GradientCase {
  const inputs = [uniform([2, 4, 5]), uniform(dims, 2), uniform(dims, 3)];
  return { op: 'LayerNormalization', title, attributes: { axis, ...attributes }, inputs };
}

function transposed(
  title: string,
  x: readonly number[],
  w: readonly number[],
  attributes: NonNullable<OpCase['attributes']>,
): GradientCase {
  const filters = w[1] * ((attributes.group as number | undefined) ?? 1);
  return { op: 'ConvTranspose', title, attributes, inputs: [uniform(x), uniform(w, 2), uniform([filters], 3)] };
}

const [STEPS, BATCH, INPUTS, HIDDEN] = [3, 2, 3, 2];

/** Inputs of a recurrent layer with `gates` gates; initial states where `states` is not 0. */
function recurrent(
  op: 'LSTM' | 'GRU',
  title: string,
  attributes: NonNullable<OpCase['attributes']>,
  options: { outputs: number; used?: number; states?: boolean; bias?: boolean },
): GradientCase {
  const { outputs, used, states = true, bias = true } = options;
  const gates = op === 'LSTM' ? 4 : 3;
  const directions = attributes.direction === 'bidirectional' ? 2 : 1;
  const batchFirst = attributes.layout === 1;
  const initial = (seed: number) =>
    uniform(batchFirst ? [BATCH, directions, HIDDEN] : [directions, BATCH, HIDDEN], seed);
  const inputs = [
    uniform(batchFirst ? [BATCH, STEPS, INPUTS] : [STEPS, BATCH, INPUTS]),
    uniform([directions, gates * HIDDEN, INPUTS], 2),
    uniform([directions, gates * HIDDEN, HIDDEN], 3),
    bias ? uniform([directions, 2 * gates * HIDDEN], 4) : undefined,
    undefined,
    ...(states ? [initial(5), ...(op === 'LSTM' ? [initial(6)] : [])] : []),
  ];
  return { op, title, attributes: { hidden_size: HIDDEN, ...attributes }, inputs, outputs, used };
}

const DIRECTIONS = ['forward', 'reverse', 'bidirectional'] as const;

/** Gradients of normalizations, transposed convolutions and recurrent layers. */
export const LAYER_GRADIENT_CASES: readonly GradientCase[] = [
  ...[
    [1, 1],
    [2, 1],
  ].map((strides) => ({
    op: 'Conv',
    title: `depthwise over a large plane, strides ${strides}`,
    attributes: { group: 2, strides, pads: [1, 1, 1, 1] },
    inputs: [uniform([1, 2, strides[0] === 1 ? 12 : 18, 12]), uniform([2, 1, 3, 3], 2), uniform([2], 3)],
  })),
  {
    op: 'Conv',
    title: 'as many channels as a flipped convolution needs',
    attributes: { pads: [1, 0, 1, 1], dilations: [1, 2] },
    inputs: [uniform([1, 8, 3, 4]), uniform([2, 8, 3, 2], 2), uniform([2], 3)],
  },
  {
    op: 'Conv',
    title: 'groups of a flipped convolution',
    attributes: { group: 2, pads: [1, 1, 1, 1] },
    inputs: [uniform([2, 4, 3, 4]), uniform([4, 2, 3, 3], 2), uniform([4], 3)],
  },
  batchNorm('inference', [2, 3, 2, 4], { epsilon: float(1e-2) }),
  batchNorm('inference of a matrix', [3, 4]),
  trainingBatchNorm('training', [2, 3, 2, 4], { epsilon: float(1e-2) }),
  trainingBatchNorm('training on a matrix', [5, 4]),
  ...[0, 0.75, 0.999].map((momentum) => ({
    ...trainingBatchNorm(`training with running statistics, momentum ${momentum}`, [3, 2, 4], {
      momentum: float(momentum),
    }),
    outputs: 3,
    used: 1,
  })),
  layerNorm('last axis', -1, [5], {}),
  layerNorm('two axes', 1, [4, 5], { epsilon: float(1e-2) }),
  layerNorm('broadcast scale', 1, [4, 1], {}),
  { ...layerNorm('own statistics', -1, [5], {}), outputs: 3, used: 1 },
  { op: 'LayerNormalization', title: 'without shift', inputs: [uniform([3, 4]), uniform([4], 2)] },
  transposed('plain', [2, 3, 3, 4], [3, 2, 3, 2], {}),
  transposed('strides and pads', [2, 2, 3, 3], [2, 3, 3, 4], { strides: [2, 3], pads: [1, 0, 1, 2] }),
  transposed('slices of many channels', [2, 3, 3, 4], [3, 8, 2, 2], { strides: [2, 2] }),
  transposed('output_padding', [1, 2, 3, 3], [2, 2, 3, 3], { strides: [2, 3], output_padding: [1, 2] }),
  transposed('output_padding beyond the stride', [1, 2, 3], [2, 2, 3], { dilations: [3], output_padding: [2] }),
  transposed('dilations', [1, 2, 3, 3], [2, 2, 2, 3], { dilations: [2, 2], pads: [1, 1, 0, 1] }),
  transposed('groups', [2, 4, 3, 3], [4, 2, 2, 2], { group: 2, strides: [2, 1] }),
  transposed('depthwise', [2, 3, 3, 3], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map((auto_pad) =>
    transposed(auto_pad, [1, 2, 3, 4], [2, 2, 3, 4], { auto_pad, strides: [2, 3] }),
  ),
  transposed('output_shape', [1, 2, 3, 4], [2, 2, 3, 3], { output_shape: [6, 8], strides: [2, 2] }),
  transposed('one spatial axis', [2, 2, 5], [2, 3, 3], { strides: [2] }),
  ...DIRECTIONS.flatMap((direction) => [
    recurrent('LSTM', direction, { direction }, { outputs: 3 }),
    recurrent('GRU', direction, { direction }, { outputs: 2 }),
    recurrent('GRU', `${direction}, linear before reset`, { direction, linear_before_reset: 1 }, { outputs: 2 }),
  ]),
  ...(['LSTM', 'GRU'] as const).flatMap((op) => [
    recurrent(op, 'only Y, no states or bias', {}, { outputs: 1, states: false, bias: false }),
    recurrent(op, 'batch first', { layout: 1, direction: 'bidirectional' }, { outputs: 2 }),
  ]),
];
