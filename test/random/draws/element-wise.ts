import type { ViewType } from '../../../lib/ir/tensor';
import { elementCount } from '../../../lib/ir/tensor';
import { float } from '../../ops/op-case';
import type { Maker, Value, Want } from '../maker';
import type { Range } from '../numbers';
import { type Draw, type Draws, eachOf } from './draw';

const rounded = (value: number) => float(Math.fround(value));

/** Float attributes of functions of one number, and where they lie. */
const FACTORS: Readonly<Record<string, Range>> = {
  alpha: [0.1, 1.5],
  beta: [-0.5, 0.8],
  gamma: [0.5, 2],
  lambd: [0, 1],
  bias: [-0.5, 0.5],
};

/** Functions of one float: their factors, and where their argument lies. */
const FUNCTIONS: Readonly<
  Record<string, { factors?: readonly string[]; within?: Range; types?: readonly ViewType[] }>
> = {
  Abs: { types: ['float32', 'int32', 'int64'] },
  Acos: { within: [-1, 1] },
  Acosh: { within: [1, 50] },
  Asin: { within: [-1, 1] },
  Asinh: {},
  Atan: {},
  Atanh: { within: [-0.99, 0.99] },
  Ceil: {},
  Celu: { factors: ['alpha'] },
  Cos: { within: [-1000, 1000] },
  Cosh: { within: [-20, 20] },
  Elu: { factors: ['alpha'] },
  Erf: {},
  Exp: { within: [-90, 20] },
  Floor: {},
  HardSigmoid: { factors: ['alpha', 'beta'] },
  HardSwish: {},
  Identity: { types: ['float32', 'int32', 'int64', 'bool', 'int8', 'uint8'] },
  LeakyRelu: { factors: ['alpha'] },
  Log: { within: [1e-6, 1e6] },
  Mish: {},
  Neg: { types: ['float32', 'int32', 'int64'] },
  Reciprocal: { within: [0.01, 1e4] },
  Relu: { types: ['float32', 'int32'] },
  Round: {},
  Selu: { factors: ['alpha', 'gamma'] },
  Shrink: { factors: ['lambd', 'bias'] },
  Sigmoid: {},
  Sign: { types: ['float32', 'int32', 'int64'] },
  Sin: { within: [-1000, 1000] },
  Sinh: { within: [-20, 20] },
  Softplus: {},
  Softsign: {},
  Sqrt: { within: [0, 1e6] },
  Tan: { within: [-1.4, 1.4] },
  Tanh: {},
  ThresholdedRelu: { factors: ['alpha'] },
};

const function_: Draw = (m, op) => {
  const { factors = [], within, types = ['float32'] } = FUNCTIONS[op];
  const x = m.want({ types: typesOf(m, types), ...(within ? { within } : { special: true }) });
  const values = factors
    .filter(() => m.chance(0.6))
    .map((name) => {
      const [low, high] = FACTORS[name];
      return [name, rounded(low + m.rng.uniform() * (high - low))] as const;
    });
  return [m.node(op, [x], Object.fromEntries(values))];
};

/** One of the types, floats most often. */
function typesOf(m: Maker, types: readonly ViewType[]): readonly ViewType[] {
  return types.includes('float32') && m.chance(0.7) ? ['float32'] : [m.pick(types)];
}

/** Operators of two operands that broadcast; the second within bounds, where they need some. */
const PAIRS: Readonly<Record<string, { types: readonly ViewType[]; second?: Range; first?: Range }>> = {
  Add: { types: ['float32', 'int32', 'int64'] },
  Sub: { types: ['float32', 'int32', 'int64'] },
  Mul: { types: ['float32', 'int32', 'int64'] },
  Div: { types: ['float32', 'int32', 'int64'], second: [0.25, 20] },
  And: { types: ['bool'] },
  Or: { types: ['bool'] },
  Xor: { types: ['bool'] },
  Equal: { types: ['float32', 'int32', 'int64', 'bool'] },
  Greater: { types: ['float32', 'int32', 'int64'] },
  GreaterOrEqual: { types: ['float32', 'int32', 'int64'] },
  Less: { types: ['float32', 'int32', 'int64'] },
  LessOrEqual: { types: ['float32', 'int32', 'int64'] },
};

const pair: Draw = (m, op) => {
  const { types, first, second } = PAIRS[op];
  const chosen = typesOf(m, types);
  const a = m.want({ types: chosen, ...(first ? { within: first } : { special: true }) });
  const type = a.type as ViewType;
  const b = m.partner(a.dims, { types: [type], ...(second ? { within: second } : {}) });
  const turned = second === undefined && m.chance(0.4);
  return [m.node(op, turned ? [b, a] : [a, b])];
};

/** One to four operands that broadcast together. */
const several: Draw = (m, op) => {
  const types = ['Max', 'Min'].includes(op) ? typesOf(m, ['float32', 'int32', 'int64']) : (['float32'] as const);
  const operands = [m.want({ types, special: true })];
  let { dims } = operands[0];
  for (let count = m.pick([0, 1, 1, 1, 2, 3]); count > 0; count--) {
    const other = m.partner(dims, { types: [operands[0].type as ViewType] });
    operands.push(other);
    dims = longest(dims, other.dims);
  }
  return [m.node(op, operands)];
};

const longest = (a: readonly number[], b: readonly number[]): readonly number[] => {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => Math.max(a.at(i - rank) ?? 1, b.at(i - rank) ?? 1));
};

const power: Draw = (m, op) => {
  if (m.chance(0.25)) {
    const base = m.want({ types: ['int32'], within: [-9, 9] });
    return [m.node(op, [base, m.partner(base.dims, { types: ['int32'], within: [0, 4] })])];
  }
  if (m.chance(0.4)) {
    const exponent = m.pick([2, 3, 0, 1, -1, -2]);
    const base = m.want({ within: exponent < 0 ? [0.1, 30] : [-30, 30] });
    return [m.node(op, [base, m.scalar(m.pick(['float32', 'int64', 'int32']), exponent)])];
  }
  const base = m.want({ within: [0.01, 30] });
  return [m.node(op, [base, m.partner(base.dims, { within: [-3, 3] })])];
};

const remainder: Draw = (m, op) => {
  const fmod = m.chance(0.4) ? 1 : 0;
  const type = fmod ? m.pick(['float32', 'int32', 'int64'] as const) : m.pick(['int32', 'int64'] as const);
  const a = m.want({ types: [type], within: [-1000, 1000] });
  const positive = m.chance(0.5);
  const b = m.partner(a.dims, { types: [type], within: positive ? [1, 30] : [-30, -1] });
  return [m.node(op, [a, b], m.chance(0.2) && type !== 'float32' && !fmod ? {} : { fmod })];
};

const slopes: Draw = (m, op) => {
  const x = m.want({});
  // Slopes broadcast to x alone.
  const dims = x.dims.map((dim) => (m.chance(0.4) ? 1 : dim));
  const slope = m.want({ within: [-2, 2] }, m.chance(0.3) ? dims.slice(m.integer(0, dims.length)) : dims);
  return [m.node(op, [x, slope])];
};

const choice: Draw = (m, op) => {
  const type = typesOf(m, ['float32', 'int32', 'int64', 'uint8'])[0];
  const a = m.want({ types: [type], special: true });
  const condition = m.partner(a.dims, { types: ['bool'] });
  const dims = longest(a.dims, condition.dims);
  if (elementCount(dims) > 2500) return [];
  const b = m.partner(dims, { types: [type] });
  return [m.node(op, [condition, ...(m.chance(0.5) ? [a, b] : [b, a])])];
};

const clip: Draw = (m, op) => {
  const type = typesOf(m, ['float32', 'int32', 'int64', 'int8', 'uint8'])[0];
  const x = m.want({ types: [type] });
  const unsigned = type === 'uint8';
  const bound = (within: Range): Value | undefined =>
    m.chance(0.8)
      ? m.want({ types: [type], within: unsigned ? [within[0] + 20, within[1] + 20] : within }, [])
      : undefined;
  const bounds = [bound([-3, 0]), bound([1, 6])];
  return [m.node(op, bounds[1] ? [x, ...bounds] : bounds[0] ? [x, bounds[0]] : [x])];
};

const gelu: Draw = (m, op) => [
  m.node(op, [m.want({})], m.pick([{}, { approximate: 'tanh' }, { approximate: 'none' }])),
];

const not: Draw = (m, op) => [m.node(op, [m.want({ types: ['bool'] })])];

const isNaN_: Draw = (m, op) => [m.node(op, [m.want({ special: true })])];

const isInfinite: Draw = (m, op) => {
  const attributes = m.pick([{}, { detect_negative: 0 }, { detect_positive: 0 }]);
  return [m.node(op, [m.want({ special: true })], attributes)];
};

/** ONNX numbers of the types between which values are cast. */
const CODES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;
type Castable = keyof typeof CODES;
const CASTABLE = Object.keys(CODES) as readonly Castable[];
/** What is sure to fit every type: floats below 0 and above 255 differ by machine. */
const COMMON: Readonly<Record<Castable, Range | undefined>> = {
  float32: undefined,
  uint8: [0, 255],
  int8: [-128, 127],
  int32: [-(2 ** 30), 2 ** 30],
  int64: [-(2 ** 50), 2 ** 50],
  bool: undefined,
};

/** A value to cast to a type. */
function castable(m: Maker, to: Castable): Value {
  const within = COMMON[to];
  const want: Want = { types: typesOf(m, CASTABLE), ...(within ? { within } : {}) };
  const found = m.find(want);
  if (found) return found;
  return m.fresh(
    m.pick(want.types!),
    m.dims(),
    within ? [Math.max(0, within[0]), Math.min(100, within[1])] : undefined,
  );
}

const cast: Draw = (m, op) => {
  const to = m.pick(CASTABLE);
  return [m.node(op, [castable(m, to)], { to: CODES[to] })];
};

const castLike: Draw = (m, op) => {
  const to = m.pick(CASTABLE);
  return [m.node(op, [castable(m, to), m.fresh(to, [1], [0, 1])])];
};

const dropout: Draw = (m, op) => (m.chance(0.05) ? m.nodes(op, [m.want({})], {}, 2) : [m.node(op, [m.want({})])]);

export const ELEMENT_WISE: Draws = {
  ...eachOf(Object.keys(FUNCTIONS), function_),
  ...eachOf(Object.keys(PAIRS), pair),
  ...eachOf(['Max', 'Mean', 'Min', 'Sum'], several),
  Pow: power,
  Mod: remainder,
  PRelu: slopes,
  Where: choice,
  Clip: clip,
  Gelu: gelu,
  Not: not,
  IsNaN: isNaN_,
  IsInf: isInfinite,
  Cast: cast,
  CastLike: castLike,
  Dropout: dropout,
};
