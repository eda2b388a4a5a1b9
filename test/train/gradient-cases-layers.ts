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

/** Gradients of normalizations, transposed convolutions and recurrent layers. */
export const LAYER_GRADIENT_CASES: readonly GradientCase[] = [
  batchNorm('inference', [2, 3, 2, 4], { epsilon: float(1e-2) }),
  batchNorm('inference of a matrix', [3, 4]),
  trainingBatchNorm('training', [2, 3, 2, 4], { epsilon: float(1e-2) }),
  trainingBatchNorm('training on a matrix', [5, 4]),
  ...[0, 0.75].map((momentum) => ({
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
];
