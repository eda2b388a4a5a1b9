import { float, floats, integers, type OpCase, uniform } from '../op-case';

const positive = floats([0.5, 1.5, 0.25]);
const batchNorm = [uniform([2, 3, 4, 5]), uniform([3], 2), uniform([3], 3), uniform([3], 4), positive];
const scores = uniform([6, 5]);
const planeScores = uniform([2, 4, 3, 2]);

function softmax(op: 'Softmax' | 'LogSoftmax', title: string, axis: number | undefined, opset?: number): OpCase {
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
  ...(['Softmax', 'LogSoftmax'] as const).flatMap((op) => [
    softmax(op, 'last axis', undefined),
    softmax(op, 'first axis', 0),
    softmax(op, 'inner axis', -2),
    softmax(op, 'opset 11, flattened', undefined, 11),
    softmax(op, 'opset 11, last axis', 3, 11),
    { op, title: 'opset 9, extents of 1 behind', inputs: [uniform([2, 3, 1, 1])], opset: 9 },
  ]),
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
    title: 'two axes without shift',
    inputs: [uniform([2, 3, 8]), uniform([3, 8], 2)],
    attributes: { axis: 1, epsilon: float(1e-2) },
  },
];
