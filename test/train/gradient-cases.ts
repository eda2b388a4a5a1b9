import { tensorFrom } from '../../lib/ir/tensor';
import { float, floats, integers, type OpCase, uniform } from '../ops/op-case';
import { ELEMENT_GRADIENT_CASES } from './gradient-cases-elements';
import { LAYER_GRADIENT_CASES } from './gradient-cases-layers';
import { MOVE_GRADIENT_CASES } from './gradient-cases-moves';
import { positive, spaced } from './gradient-draws';

/** A node whose gradient is compared with finite differences. Integer inputs are constants; floating ones are varied. */
export interface GradientCase extends Pick<OpCase, 'op' | 'title' | 'attributes' | 'inputs' | 'outputs'> {
  /** Only inputs before this one are varied; all floating ones when left out. */
  readonly varied?: number;
  /** Only outputs before this one count in the loss; all when left out. */
  readonly used?: number;
}

function conv(
  title: string,
  x: readonly number[],
  w: readonly number[],
  attributes: OpCase['attributes'],
): GradientCase {
  return { op: 'Conv', title, attributes, inputs: [uniform(x), uniform(w, 2), uniform([w[0]], 3)] };
}

function pool(op: 'MaxPool' | 'AveragePool', title: string, attributes: OpCase['attributes']): GradientCase {
  return { op, title, attributes, inputs: [spaced([2, 2, 5, 6])] };
}

function pair(op: string, title: string, a: readonly number[], b: readonly number[]): GradientCase {
  return { op, title, inputs: [positive(a), positive(b, 2)] };
}

function single(op: string, attributes?: OpCase['attributes'], x = spaced([3, 4])): GradientCase {
  return { op, title: JSON.stringify(attributes ?? {}), attributes, inputs: [x] };
}

function shaped(op: string, dims: readonly number[], second: readonly number[], attributes?: OpCase['attributes']) {
  const numbers = tensorFrom('int64', [second.length], second);
  return { op, title: `[${second}]`, attributes, inputs: [uniform(dims), numbers] };
}

function loss(title: string, attributes: OpCase['attributes'], inputs: OpCase['inputs']): GradientCase {
  return { op: 'SoftmaxCrossEntropyLoss', title, attributes, inputs };
}

const WINDOWS: readonly (readonly [title: string, attributes: NonNullable<OpCase['attributes']>])[] = [
  ['tiles', { kernel_shape: [2, 3], strides: [2, 3] }],
  ['tiles with a rest', { kernel_shape: [2, 4], strides: [2, 4] }],
  ['overlap', { kernel_shape: [3, 3], strides: [2, 1], pads: [1, 1, 0, 1] }],
  ['ceil_mode', { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 }],
  ['dilation', { kernel_shape: [2, 2], dilations: [2, 3], auto_pad: 'SAME_UPPER' }],
];

export const GRADIENT_CASES: readonly GradientCase[] = [
  conv('gathered patches', [2, 3, 5, 4], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('slices', [2, 8, 5, 4], [3, 8, 3, 2], { pads: [1, 0, 1, 1] }),
  conv('slices with strides and a rest', [1, 8, 6, 7], [2, 8, 3, 2], { strides: [2, 3] }),
  conv('5x5 without padding', [2, 2, 7, 6], [3, 2, 5, 5], {}),
  conv('1x1', [2, 8, 3, 3], [4, 8, 1, 1], {}),
  conv('1x1 with strides', [2, 8, 4, 5], [4, 8, 1, 1], { strides: [2, 2] }),
  conv('strides and uneven pads', [2, 3, 6, 7], [4, 3, 3, 3], { strides: [2, 3], pads: [1, 0, 2, 1] }),
  conv('dilation', [2, 3, 7, 6], [2, 3, 3, 2], { dilations: [2, 3], pads: [2, 1, 2, 2] }),
  conv('SAME_UPPER with strides', [2, 2, 6, 5], [3, 2, 3, 4], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  conv('more padding than reach', [1, 2, 4, 4], [2, 2, 2, 2], { pads: [2, 2, 2, 2] }),
  conv('groups', [2, 4, 4, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  conv('groups with strides', [2, 4, 5, 5], [6, 2, 3, 3], { group: 2, strides: [2, 2] }),
  conv('depthwise', [2, 4, 4, 5], [4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1] }),
  conv('depthwise with strides', [2, 4, 5, 5], [4, 1, 3, 3], { group: 4, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('depthwise with multiplier', [2, 3, 4, 4], [6, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
  conv('one spatial axis', [2, 3, 8], [4, 3, 3], { strides: [2], pads: [1, 1] }),
  conv('three spatial axes', [1, 2, 3, 4, 3], [2, 2, 2, 2, 2], {}),
  ...LAYER_GRADIENT_CASES,
  ...ELEMENT_GRADIENT_CASES,
  ...MOVE_GRADIENT_CASES,
  ...WINDOWS.flatMap(([title, attributes]) => [
    pool('MaxPool', title, attributes),
    pool('AveragePool', title, attributes),
  ]),
  pool('AveragePool', 'padding counts', { kernel_shape: [3, 2], pads: [1, 1, 1, 0], count_include_pad: 1 }),
  single('GlobalAveragePool', undefined, uniform([2, 3, 4, 2])),
  { op: 'Gemm', title: 'plain', inputs: [uniform([3, 4]), uniform([4, 5], 2), uniform([5], 3)] },
  ...[
    [0, 1],
    [1, 0],
    [1, 1],
  ].map(([transA, transB]) => ({
    op: 'Gemm',
    title: `transA ${transA}, transB ${transB}, scaled`,
    attributes: { transA, transB, alpha: float(0.5), beta: float(-2) },
    inputs: [uniform(transA ? [4, 3] : [3, 4]), uniform(transB ? [5, 4] : [4, 5], 2), uniform([3, 1], 3)],
  })),
  pair('MatMul', 'matrices', [3, 4], [4, 5]),
  pair('MatMul', 'stack times matrix', [2, 3, 4], [4, 5]),
  pair('MatMul', 'broadcast stacks', [2, 1, 3, 4], [3, 4, 2]),
  pair('MatMul', 'vector times matrix', [4], [4, 5]),
  pair('MatMul', 'stack times vector', [2, 3, 4], [4]),
  pair('MatMul', 'vector times stack', [4], [2, 4, 3]),
  pair('MatMul', 'two vectors', [4], [4]),
  ...['Add', 'Sub', 'Mul', 'Div'].flatMap((op) => [
    pair(op, 'same shapes', [2, 3], [2, 3]),
    pair(op, 'broadcast second', [2, 3, 4], [3, 1]),
    pair(op, 'broadcast both', [2, 1, 4], [3, 1]),
    pair(op, 'scalar', [2, 3], []),
  ]),
  { op: 'Sum', title: 'three with broadcasting', inputs: [uniform([2, 3]), uniform([3], 2), uniform([2, 1], 3)] },
  single('Relu'),
  single('Sigmoid'),
  single('Tanh'),
  single('Exp'),
  single('Neg'),
  single('Log', undefined, positive([3, 4])),
  single('Sqrt', undefined, positive([3, 4])),
  single('Identity'),
  single('Dropout'),
  single('Softmax', { axis: 0 }),
  single('Softmax'),
  single('LogSoftmax', { axis: 1 }),
  single('Flatten', { axis: 2 }, uniform([2, 3, 4])),
  single('Transpose', { perm: [2, 0, 1] }, uniform([2, 3, 4])),
  single('Transpose', undefined, uniform([2, 3, 4])),
  shaped('Reshape', [2, 3, 4], [4, -1]),
  shaped('Squeeze', [2, 1, 4], [1]),
  shaped('Unsqueeze', [2, 4], [0, 3]),
  shaped('ReduceSum', [2, 3, 4], [0, 2], { keepdims: 0 }),
  shaped('ReduceSum', [2, 3, 4], [-1]),
  shaped('ReduceMean', [2, 3, 4], [1], { keepdims: 0 }),
  shaped('ReduceMean', [2, 3, 4], [], {}),
  loss('mean', {}, [uniform([4, 5]), integers('int64', [4], 0, 4)]),
  loss('sum over a plane', { reduction: 'sum' }, [uniform([2, 4, 3]), integers('int32', [2, 3], 0, 3)]),
  loss('none', { reduction: 'none' }, [uniform([2, 4, 3]), integers('int64', [2, 3], 0, 3)]),
  loss('class weights', {}, [uniform([4, 3]), integers('int64', [4], 0, 2), floats([0.5, 2, 1])]),
  loss('ignored label', { ignore_index: 1 }, [uniform([6, 3]), integers('int64', [6], 0, 2)]),
];
