import { tensorFrom } from '../../../lib/ir/tensor';
import { booleans, opCase, random, scalar } from '../draw';
import { float, floats, integers, type OpCase } from '../op-case';

const special = tensorFrom('float32', [8], [0, -0, 1, -1, Infinity, -Infinity, NaN, 0.5]);
const x = random([2, 3, 4]);
/** Bases and exponents that IEEE 754 says something of. */
const POWERS = [0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, -3, 1e30, -1e30, 2 ** -140, Infinity, -Infinity, NaN];

const unary = ['Abs', 'Ceil', 'Cos', 'Erf', 'Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'Identity', 'LeakyRelu']
  .concat([
    'Elu',
    'Mish',
    'Neg',
    'Reciprocal',
    'Relu',
    'Round',
    'Selu',
    'Sigmoid',
    'Sign',
    'Sin',
    'Softplus',
    'Softsign',
  ])
  .concat(['Tanh', 'IsNaN', 'IsInf', 'Tan', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Celu', 'Shrink', 'ThresholdedRelu'])
  .map((op) => opCase(op, 'random', [x]));

const onSpecialValues = [
  'Abs',
  'Neg',
  'Exp',
  'Erf',
  'Tanh',
  'Sigmoid',
  'Sqrt',
  'Log',
  'Reciprocal',
  'IsNaN',
  'Floor',
  'Ceil',
  'Round',
  'Sign',
  'Softplus',
  'Elu',
  'Sin',
  'IsInf',
  'Tan',
  'Asin',
  'Acos',
  'Atan',
  'Sinh',
  'Cosh',
  'Asinh',
  'Atanh',
  'Celu',
].map((op) => opCase(op, 'zeros, infinities, NaN', [special]));

const shapes: [string, number[], number[]][] = [
  ['same shape', [2, 3], [2, 3]],
  ['scalar', [2, 3], []],
  ['both broadcast', [2, 1, 4], [3, 1]],
  ['leading axes', [4], [2, 3, 4]],
];
const binary = [
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Max',
  'Min',
  'Greater',
  'Less',
  'GreaterOrEqual',
  'LessOrEqual',
  'Equal',
].flatMap((op) => shapes.map(([about, a, b]) => opCase(op, about, [random(a), random(b, 0.5, 2, 2)])));
const onIntegers = ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Greater', 'Less', 'Equal', 'Mod'].flatMap((op) =>
  (['int32', 'int64'] as const).map((type) =>
    opCase(op, type, [integers(type, [3, 5], -9, 9), integers(type, [5], 1, 4, 2)]),
  ),
);

export const CASES: readonly OpCase[] = [
  ...unary,
  ...onSpecialValues,
  ...binary,
  ...onIntegers,
  ...['Asin', 'Acos', 'Atanh'].map((op) => opCase(op, 'between -1 and 1', [random([40], -1, 1)])),
  opCase('Acosh', 'above 1', [random([40], 1, 9)]),
  opCase('Celu', 'alpha', [x], { alpha: float(0.3) }),
  opCase('Shrink', 'soft', [x], { lambd: float(0.7), bias: float(0.7) }),
  opCase('ThresholdedRelu', 'alpha', [x], { alpha: float(-0.3) }),
  opCase('IsInf', 'positive alone', [special], { detect_negative: 0 }),
  opCase('IsInf', 'no sign', [special], { detect_positive: 0, detect_negative: 0 }),
  opCase('IsInf', 'negative alone', [special], { detect_positive: 0 }),
  opCase('PRelu', 'one slope', [x, scalar('float32', 0.2)]),
  opCase('PRelu', 'slope per element', [x, random([2, 3, 4], 0, 1)]),
  opCase('PRelu', 'slopes above 1 and below 0', [random([2, 4, 3]), random([4, 1], -2, 2)]),
  opCase('Sqrt', 'positive', [random([5], 0, 9)]),
  opCase('Log', 'positive', [random([5], 0.1, 9)]),
  opCase('Erf', 'up to the tails', [random([64], -7, 7)]),
  opCase('Round', 'ties', [tensorFrom('float32', [6], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])]),
  opCase('Gelu', 'tanh form', [x], { approximate: 'tanh' }),
  opCase('LeakyRelu', 'alpha', [x], { alpha: float(0.3) }),
  opCase('Elu', 'alpha', [x], { alpha: float(0.3) }),
  opCase('HardSigmoid', 'alpha and beta', [x], { alpha: float(0.7), beta: float(0.1) }),
  opCase('Selu', 'alpha and gamma', [x], { alpha: float(2), gamma: float(3) }),
  opCase('Relu', 'int32', [integers('int32', [7], -3, 3)]),
  opCase('Abs', 'int32', [integers('int32', [7], -3, 3)]),
  opCase('Neg', 'int64', [integers('int64', [7], -3, 3)]),
  opCase('Sign', 'int32', [integers('int32', [7], -3, 3)]),
  opCase('Mul', 'int32 wraps', [
    tensorFrom('int32', [2], [2000000000, -2000000011]),
    tensorFrom('int32', [2], [3, 1999999973]),
  ]),
  opCase('Min', 'three inputs', [random([2, 3]), random([3], -1, 1), random([2, 1], -1, 1)]),
  opCase('Max', 'NaN', [special, scalar('float32', 0)]),
  opCase('Sum', 'three inputs', [random([2, 3]), random([3], -1, 1), random([2, 1], -1, 1)]),
  opCase('Sum', 'one input', [random([2, 3])]),
  ...['Sum', 'Mean', 'Max', 'Min'].flatMap((op) => [
    opCase(
      op,
      'four inputs, none of them whole',
      [2, 3, 4, 1].map((extent, axis) =>
        random(
          [2, 3, 4].map((dim, at) => (at === axis ? dim : 1)),
          -1,
          1,
          extent,
        ),
      ),
    ),
    opCase(op, 'two inputs', [random([2, 3]), random([2, 3], -1, 1, 2)]),
    opCase(op, 'one input twice and another', [random([2, 3]), random([2, 3]), random([3], -1, 1, 2)]),
  ]),
  opCase('Mean', 'one input', [random([2, 3])]),
  opCase('Mean', 'three inputs', [random([2, 3]), random([3], -1, 1), random([2, 1], -1, 1)]),
  opCase('Pow', 'float exponent', [random([2, 3], 0.1, 3), random([3], -2, 2, 2)]),
  opCase('Pow', 'integer exponent of a negative base', [random([2, 3]), scalar('float32', 3)]),
  ...[2, 3, 0.5, -0.5, -1, 1, 0, -2.5].map((exponent) =>
    opCase('Pow', `to ${exponent}`, [random([3, 5], 0.1, 3), scalar('float32', exponent)]),
  ),
  opCase('Pow', 'to an integer', [random([3, 5]), integers('int64', [1], 2, 2)]),
  opCase('Pow', 'a number to an exponent of more axes', [random([5], 0.1, 3), random([1, 1, 1], 1, 3)]),
  opCase('Pow', 'of special numbers', [
    floats(POWERS.flatMap((base) => POWERS.map(() => base))),
    floats(POWERS.flatMap(() => POWERS)),
  ]),
  opCase('Pow', 'int32 base', [integers('int32', [4], 0, 5), scalar('int32', 2)]),
  opCase('Mod', 'negative divisor', [integers('int64', [6], -9, 9), scalar('int64', -4)]),
  opCase('Mod', 'fmod of floats', [random([6], -9, 9), random([6], 1, 4, 2)], { fmod: 1 }),
  opCase('Mod', 'fmod of integers', [integers('int64', [6], -9, 9), scalar('int64', 4)], { fmod: 1 }),
  opCase('PRelu', 'slope per channel', [random([1, 3, 2, 2]), random([3, 1, 1], 0, 1)]),
  opCase('And', 'broadcast', [booleans([2, 3]), booleans([3], 2)]),
  opCase('Or', 'broadcast', [booleans([2, 3]), booleans([3], 2)]),
  opCase('Xor', 'broadcast', [booleans([2, 3]), booleans([3], 2)]),
  opCase('Not', 'random', [booleans([2, 3])]),
  opCase('Equal', 'booleans', [booleans([2, 3]), booleans([3], 2)]),
  opCase('Where', 'all three broadcast', [booleans([2, 1, 4]), random([3, 1]), random([4], 0, 1)]),
  opCase('Where', 'int64', [booleans([4]), integers('int64', [4], 0, 9), scalar('int64', -1)]),
  opCase('Clip', 'both bounds', [x, scalar('float32', -0.5), scalar('float32', 1)]),
  opCase('Clip', 'only max', [x, undefined, scalar('float32', 1)]),
  opCase('Clip', 'no bounds', [x]),
  opCase('Clip', 'int32', [integers('int32', [9], -9, 9), scalar('int32', -2), scalar('int32', 4)]),
  opCase('Dropout', 'inference', [x]),
  opCase('Dropout', 'with mask', [x, scalar('float32', 0.3)], {}, { outputs: 2 }),
  ...[1, 3, 6, 7, 9, 10, 11].map((to) => opCase('Cast', `float32 to ${to}`, [random([8], -100, 100)], { to })),
  ...[1, 2, 6, 9].map((to) => opCase('Cast', `int64 to ${to}`, [integers('int64', [8], -300, 300)], { to })),
  opCase('Cast', 'bool to float32', [booleans([4])], { to: 1 }),
  opCase('CastLike', 'to int32', [random([4], -9, 9), integers('int32', [1], 0, 1)]),
];
