import { roundHalfToEven } from '../../lib/core/half';
import { UNARY_OPERATIONS, type UnaryOperation } from '../../lib/core/unary-operation';
import { openSession } from '../../lib/engine/session';
import { errorFunction } from '../../lib/ops/erf-function';
import { PlanBuilder } from './plans';

const ALPHA = 0.25;
const BETA = 0.75;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const limited = (x: number): number => Math.max(0, Math.min(1, x));

/** What each operation computes: a new one is a type error here. */
const OF: Readonly<Record<UnaryOperation, (x: number) => number>> = {
  abs: Math.abs,
  negate: (x) => -x,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: (x) => (x > 0 ? roundHalfToEven(x) : -roundHalfToEven(-x)),
  sqrt: Math.sqrt,
  reciprocal: (x) => 1 / x,
  exp: Math.exp,
  log: Math.log,
  sigmoid,
  tanh: Math.tanh,
  erf: errorFunction,
  gelu: (x) => 0.5 * x * (1 + errorFunction(x * Math.SQRT1_2)),
  gelu_tanh: (x) => x * sigmoid(Math.sqrt(8 / Math.PI) * (x + 0.044715 * x ** 3)),
  mish: (x) => x * Math.tanh(softplus(x)),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  elu: (x) => (x < 0 ? ALPHA * Math.expm1(x) : x),
  selu: (x) => BETA * (x < 0 ? ALPHA * Math.expm1(x) : x),
  leaky_relu: (x) => (x < 0 ? ALPHA * x : x),
  hard_sigmoid: (x) => limited(ALPHA * x + BETA),
  hard_swish: (x) => x * limited(x / 6 + 0.5),
  sin: Math.sin,
  cos: Math.cos,
  square: (x) => x * x,
  cube: (x) => x * x * x,
  reciprocal_sqrt: (x) => 1 / Math.sqrt(x),
  power: (x) => x ** ALPHA,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  celu: (x) => (x < 0 ? ALPHA * Math.expm1(x / ALPHA) : x),
  shrink: (x) => (x < -ALPHA ? x + BETA : x > ALPHA ? x - BETA : 0),
  thresholded_relu: (x) => (x > ALPHA ? x : 0),
};

const EDGES = [
  ...[0, 2 ** -149, 2 ** -130, 2 ** -126, 1e-20, 2 ** -12, 0.3, 0.5, 0.875, 1, 1.5, 2.5, Math.PI / 2, 3, 8.5, 9.3, 14],
  ...[
    17.33,
    87.3,
    88.72,
    88.73,
    103.9,
    104,
    1000.5,
    8192,
    8193,
    2 ** 23 - 0.5,
    2 ** 24 + 2,
    1e10,
    1e30,
    3.4e38,
    Infinity,
  ],
].flatMap((x) => [x, -x]);
const X = Float32Array.from([...EDGES, NaN, ...Array.from({ length: 999 }, (_, i) => (i - 500) / 37)]);

/** Least positive float32. */
const LEAST = 2 ** -149;

/** Distance in units in the last place of a float32; 0 for equal numbers with their signs, and two NaNs. */
function ulpsBetween(found: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(found, rounded)) return 0;
  const size = Math.max(Math.abs(rounded), 2 ** -126);
  return Math.abs(found - exact) / 2 ** (Math.floor(Math.log2(size)) - 23);
}

function run(operation: UnaryOperation, x: Float32Array, clamp = {}): Float32Array {
  const b = new PlanBuilder();
  const [from, to] = [b.input('x', 'float32', [x.length]), b.output('y', 'float32', [x.length])];
  const params = { operation, alpha: ALPHA, beta: BETA, clamp };
  b.node({ op: 'unary_f32', outputs: [to], inputs: [from], params });
  const session = openSession(b.write());
  try {
    return session.run({ x }).y as Float32Array;
  } finally {
    session.close();
  }
}

describe.each(UNARY_OPERATIONS)('$name', ({ name }) => {
  test('is the function within 4 units in the last place, 1e-6 where terms cancel, or so many of x times the least number', () => {
    const wrong = Array.from(run(name, X), (found, i) => ({ x: X[i], found, exact: OF[name](X[i]) })).filter(
      ({ x, found, exact }) => {
        const error = Math.abs(found - exact);
        return !(ulpsBetween(found, exact) <= 4 || (error <= 1e-6 && found !== 0) || error <= 4 * LEAST * Math.abs(x));
      },
    );
    expect(wrong).toEqual([]);
  });

  test('keeps within bounds', () => {
    const expected = run(name, X).map((y) => (Number.isNaN(y) ? y : Math.min(Math.max(y, -0.5), 0.25)));
    expect(run(name, X, { lo: -0.5, hi: 0.25 })).toEqual(expected);
  });
});

/** What ONNX defines by comparisons alone: a NaN is on no side. */
const ZERO_OF_NAN: readonly UnaryOperation[] = ['shrink', 'thresholded_relu'];

test.each(ZERO_OF_NAN)('%s makes zeros of NaN', (name) => {
  expect([...run(name, Float32Array.of(NaN, -NaN, NaN))]).toEqual([0, 0, 0]);
});

const KEEPING = UNARY_OPERATIONS.filter(({ name }) => !ZERO_OF_NAN.includes(name));
test.each(KEEPING)('$name writes one NaN, whatever the sign and payload of that of its input', ({ name }) => {
  const bits = Uint32Array.from({ length: 19 }, (_, i) => (i % 2 === 0 ? 0x7f800001 : 0xffc00000) + i);
  const found = new Uint32Array(run(name, new Float32Array(bits.buffer)).buffer);
  expect([...found]).toEqual(Array(19).fill(0x7fc00000));
});

test('integers, zeros and what has one rounding are exact', () => {
  for (const name of [
    'abs',
    'negate',
    'sign',
    'floor',
    'ceil',
    'round',
    'sqrt',
    'reciprocal',
    'leaky_relu',
    'square',
    'shrink',
    'thresholded_relu',
  ] as const)
    expect(run(name, X)).toEqual(Float32Array.from(X, OF[name]));
});
