import { float, floats, integers, type OpCase, uniform } from '../op-case';

const positive = floats([0.5, 1.5, 0.25]);
const batchNorm = [uniform([2, 3, 4, 5]), uniform([3], 2), uniform([3], 3), uniform([3], 4), positive];
const scores = uniform([6, 5]);
const planeScores = uniform([2, 4, 3, 2]);

function softmax(
  op: 'Softmax' | 'LogSoftmax' | 'Hardmax',
  title: string,
  axis: number | undefined,
  opset?: number,
): OpCase {
  return { op, title, inputs: [uniform([2, 3, 4, 5])], ...(opset && { opset }), attributes: { axis } };
}

function loss(title: string, attributes: OpCase['attributes'], inputs: OpCase['inputs']): OpCase {
  return { op: 'SoftmaxCrossEntropyLoss', title, attributes, inputs, outputs: 2 };
}

/** Normalizations, softmaxes and the loss. */
export const NORMALIZATIONS: readonly OpCase[] = [
  { op: 'BatchNormalization', title: 'inference', inputs: batchNorm, attributes: { epsilon: float(1e-3) } },
  { op: 'BatchNormalization', title: 'training', inputs: batchNorm, attributes: { training_mode: 1 }, outputs: 3 },
  { op: 'BatchNormalization', title: 'opset 7', inputs: batchNorm, opset: 7 },
  ...(['Softmax', 'LogSoftmax', 'Hardmax'] as const).flatMap((op) => [
    softmax(op, 'last axis', undefined),
    softmax(op, 'first axis', 0),
    softmax(op, 'inner axis', -2),
    softmax(op, 'opset 11, flattened', undefined, 11),
    softmax(op, 'opset 11, last axis', 3, 11),
    { op, title: 'opset 9, extents of 1 behind', inputs: [uniform([2, 3, 1, 1])], opset: 9 },
  ]),
  { op: 'Hardmax', title: 'the first of equal ones', inputs: [floats([1, 3, 3, 2, 2, 0], [2, 3])] },
  loss('mean', {}, [scores, integers('int64', [6], 0, 4)]),
  loss('sum of int32 labels', { reduction: 'sum' }, [scores, integers('int32', [6], 0, 4)]),
  loss('none over a plane', { reduction: 'none' }, [planeScores, integers('int64', [2, 3, 2], 0, 3)]),
  loss('weights and ignored label', { ignore_index: 2 }, [
    planeScores,
    integers('int64', [2, 3, 2], 0, 3),
    floats([0.5, 2, 1, 0.1]),
  ]),
  {
    op: 'LayerNormalization',
    title: 'last axis',
    inputs: [uniform([2, 3, 8]), uniform([8], 2), uniform([8], 3)],
    outputs: 3,
  },
  {
    op: 'LayerNormalization',
    title: 'all axes, one scale for all',
    inputs: [uniform([2, 3, 8]), uniform([1], 2), uniform([8], 3)],
    attributes: { axis: 0 },
  },
  {
    op: 'LayerNormalization',
    title: 'last axis, first output',
    inputs: [uniform([2, 3, 33]), uniform([33], 2), uniform([33], 3)],
  },
  ...[-1, 1].map(
    (axis): OpCase => ({
      op: 'RMSNormalization',
      title: `from axis ${axis} on`,
      inputs: [uniform([2, 3, 8]), uniform([8], 2)],
      attributes: { axis, epsilon: float(1e-3) },
      opset: 23,
    }),
  ),
  ...[
    [2, 3, 7],
    [2, 3, 4, 5],
    [1, 20, 3, 2, 2],
  ].map(
    (dims): OpCase => ({
      op: 'InstanceNormalization',
      title: `of [${dims}]`,
      inputs: [uniform(dims), uniform([dims[1]], 2), uniform([dims[1]], 3)],
      attributes: { epsilon: float(1e-3) },
    }),
  ),
  ...[1, 2, 3, 12].map(
    (num_groups): OpCase => ({
      op: 'GroupNormalization',
      title: `${num_groups} groups`,
      inputs: [uniform([2, 12, 4, 5]), uniform([12], 2), uniform([12], 3)],
      attributes: { num_groups },
    }),
  ),
  {
    op: 'GroupNormalization',
    title: 'opset 18, factors of groups',
    inputs: [uniform([2, 6, 5]), uniform([3], 2), uniform([3], 3)],
    attributes: { num_groups: 3 },
    opset: 18,
  },
  ...[undefined, [1], [0, 1, 2, 3], [-1, 2], [0, 3]].map(
    (axes): OpCase => ({
      op: 'MeanVarianceNormalization',
      title: axes ? `axes ${axes}` : 'axes of images',
      inputs: [uniform([2, 3, 4, 5])],
      attributes: axes ? { axes } : {},
    }),
  ),
  ...[-1, 0, 1].flatMap((axis) =>
    [1, 2].map(
      (p): OpCase => ({
        op: 'LpNormalization',
        title: `L${p} along axis ${axis}`,
        inputs: [floats([0, 0, 0, 1, 2, -3, 0, 0, 0, 4, 0, 1e-3], [2, 2, 3])],
        attributes: { axis, p },
      }),
    ),
  ),
  {
    op: 'LpNormalization',
    title: 'squares beyond the smallest floats: hardly anything, and never above 1',
    inputs: [floats([5.8e-32, -2e-40, 1.6e-30, 1e-38], [2, 2])],
    tolerance: 1,
  },
  ...[1, 3, 5].map(
    (size): OpCase => ({
      op: 'LRN',
      title: `${size} channels`,
      inputs: [uniform([2, 7, 3, 2])],
      attributes: { size, alpha: float(0.5), beta: float(0.6), bias: float(1.5) },
    }),
  ),
  { op: 'LRN', title: 'defaults', inputs: [uniform([1, 5, 4, 4])], attributes: { size: 3 } },
  {
    op: 'LayerNormalization',
    title: 'two axes without shift',
    inputs: [uniform([2, 3, 8]), uniform([3, 8], 2)],
    attributes: { axis: 1, epsilon: float(1e-2) },
  },
];
