import { tensorFrom } from '../../lib/ir/tensor';
import { float, floats, integers, type OpCase, uniform } from '../ops/op-case';
import type { GradientCase } from './gradient-cases';
import { positive, spaced } from './gradient-draws';

/** Elements on both sides of every bend of the usual activations: from -4.4 to 4.4, none at a bend. */
const WIDE = spaced([3, 4], 1, 0.8);

function activation(op: string, attributes: OpCase['attributes'] = {}, x = WIDE): GradientCase {
  return { op, title: JSON.stringify(attributes), attributes, inputs: [x] };
}

function operands(op: string, title: string, inputs: OpCase['inputs'], attributes?: OpCase['attributes']) {
  return { op, title, inputs, attributes };
}

/** Every way to name the reduced axes. */
function reductions(op: string, x = spaced([2, 3, 4])): GradientCase[] {
  const axes = (...values: number[]) => tensorFrom('int64', [values.length], values);
  return [
    operands(op, 'two axes, dropped', [x, axes(0, -1)], { keepdims: 0 }),
    operands(op, 'one axis, kept', [x, axes(1)]),
    operands(op, 'all axes', [x], { keepdims: 0 }),
    operands(op, 'no axes stand for all', [x, axes()]),
    operands(op, 'no axes', [x], { noop_with_empty_axes: 1 }),
  ];
}

/** Number of float64 among the ONNX element types. */
const FLOAT64 = 11;

/** Gradients of functions of single elements, of broadcast operands, and of reductions. */
export const ELEMENT_GRADIENT_CASES: readonly GradientCase[] = [
  ...['Abs', 'Softplus', 'Softsign', 'Mish', 'Erf', 'Sin', 'Cos', 'HardSwish', 'Gelu', 'Selu'].map((op) =>
    activation(op),
  ),
  activation('Reciprocal', {}, positive([3, 4])),
  ...['Atan', 'Sinh', 'Cosh', 'Asinh', 'Celu', 'Shrink', 'ThresholdedRelu'].map((op) => activation(op)),
  ...['Asin', 'Acos', 'Atanh', 'Tan'].map((op) => activation(op, {}, uniform([3, 4]))),
  activation('Acosh', {}, floats([1.2, 1.5, 2, 4])),
  activation('Celu', { alpha: float(0.7) }),
  activation('LeakyRelu'),
  activation('LeakyRelu', { alpha: float(-0.3) }),
  activation('Elu', { alpha: float(0.7) }),
  activation('Selu', { alpha: float(1.5), gamma: float(0.8) }),
  activation('HardSigmoid'),
  activation('HardSigmoid', { alpha: float(0.3), beta: float(0.45) }),
  activation('Gelu', { approximate: 'tanh' }),
  activation('Cast', { to: FLOAT64 }),
  operands('CastLike', 'float64', [WIDE, tensorFrom('float64', [1], [0])]),
  operands('Clip', 'both bounds', [spaced([3, 4]), floats([-0.3], []), floats([0.4], [])]),
  operands('Clip', 'upper bound', [spaced([3, 4]), undefined, floats([0.4], [1])]),
  operands('PRelu', 'slope per channel', [spaced([2, 3, 4]), positive([3, 1])]),
  operands('Pow', 'two tensors', [positive([2, 3]), uniform([2, 1], 2)]),
  operands('Pow', 'integer powers of zero', [floats([0, 0, 0]), integers('int64', [3], 1, 3)]),
  ...[2, 0.5, -1, 3].map((exponent) => ({
    ...operands('Pow', `constant ${exponent}`, [positive([2, 3]), floats([exponent], [])]),
    varied: 1,
  })),
  operands('Pow', 'integer exponents', [uniform([2, 3]), integers('int64', [3], 1, 3)]),
  operands('Mod', 'fmod', [floats([5.3, -7.1, 4.4]), floats([2.2, 3, -1.3])], { fmod: 1 }),
  operands('Mod', 'floored', [floats([5.3, -7.1, 4.4]), floats([2.2, 3, -1.3])]),
  ...['Max', 'Min', 'Mean'].flatMap((op) => [
    operands(op, 'one', [spaced([2, 3])]),
    operands(op, 'two with broadcasting', [spaced([2, 3]), spaced([3], 2, 0.13)]),
    operands(op, 'four', [spaced([2, 3]), spaced([2, 3], 2, 0.13), spaced([2, 1], 3, 0.17), spaced([1], 4, 0.3)]),
  ]),
  operands('Where', 'broadcasting', [integers('bool', [2, 1, 4], 0, 1), uniform([3, 1]), uniform([4], 2)]),
  { ...operands('Where', 'first only', [integers('bool', [3], 0, 1), uniform([3]), uniform([3], 2)]), varied: 2 },
  ...[
    'ReduceMax',
    'ReduceMin',
    'ReduceL1',
    'ReduceL2',
    'ReduceSumSquare',
    'ReduceProd',
    'ReduceSum',
    'ReduceMean',
  ].flatMap((op) => reductions(op)),
  ...reductions('ReduceLogSum', positive([2, 3, 4])),
  ...reductions('ReduceLogSumExp', positive([2, 3, 4])),
  operands('ReduceProd', 'zeros', [floats([0, 2, 3, 0, 5, 0, 2, 3, 4], [3, 3]), tensorFrom('int64', [1], [1])]),
  operands('GlobalMaxPool', 'plane', [spaced([2, 3, 4, 2])]),
  operands('GlobalMaxPool', 'line', [spaced([2, 3, 5])]),
];
