import { BINARY_OPERATIONS, type BinaryOperation } from '../../lib/core/binary-operation';
import { roundHalfToEven } from '../../lib/core/half';
import { openSession } from '../../lib/engine/session';
import { PlanBuilder, ramp } from './plans';

/** What each operation computes: a new one is a type error here. */
const OF: Readonly<Record<BinaryOperation, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  subtract: (a, b) => a - b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  power: (a, b) => a ** b,
  remainder: (a, b) => a % b,
  slope: (a, b) => (a < 0 ? b * a : a),
};

const COUNT = 40;
const A = { scale: 0.5, zeroPoint: 3 };
const B = { scale: 0.25, zeroPoint: -7 };
const Y = { scale: 1.5, zeroPoint: 1 };
const { fround } = Math;

describe.each(BINARY_OPERATIONS)('$name', ({ name }) => {
  test(`float32: ${name === 'power' ? 'within two units in the last place' : 'one rounding'}`, () => {
    const b = new PlanBuilder();
    const inputs = [b.input('a', 'float32', [COUNT]), b.input('b', 'float32', [COUNT])];
    b.node({ op: 'binary_f32', outputs: [b.output('y', 'float32', [COUNT])], inputs, params: { operation: name } });
    const feeds = { a: ramp(COUNT).map((x) => 7 * x + 0.1), b: ramp(COUNT).map((x, i) => x - i) };
    const [found, expected] = [run(b, feeds), Float32Array.from(feeds.a, (a, i) => OF[name](a, feeds.b[i]))];
    const isNear = (value: number, i: number) => name === 'power' && Math.abs(found[i] / value - 1) < 2 ** -22;
    expect(expected.filter((value, i) => !Object.is(found[i], value) && !isNear(value, i))).toEqual(new Float32Array());
  });

  test('int8: the formula of Q and DQ, operands in their order', () => {
    const b = new PlanBuilder();
    const inputs = [b.input('a', 'int8', [COUNT], A), b.input('b', 'int8', [COUNT], B)];
    b.node({ op: 'binary_s8', outputs: [b.output('y', 'int8', [COUNT], Y)], inputs, params: { operation: name } });
    const feeds = {
      a: Int8Array.from({ length: COUNT }, (_, i) => i * 29 + 5),
      b: Int8Array.from({ length: COUNT }, (_, i) => i * 83 - 60),
    };
    const expected = Int8Array.from(feeds.a, (a, i) => {
      const [fa, fb] = [fround((a - A.zeroPoint) * A.scale), fround((feeds.b[i] - B.zeroPoint) * B.scale)];
      const rounded = roundHalfToEven(fround(fround(OF[name](fa, fb)) / Y.scale)) + Y.zeroPoint;
      return Number.isNaN(rounded) ? -128 : Math.min(Math.max(rounded, -128), 127);
    });
    expect(run(b, feeds)).toEqual(expected);
  });
});

function run(b: PlanBuilder, feeds: Record<string, Float32Array | Int8Array>): Float32Array | Int8Array {
  const session = openSession(b.write());
  try {
    return session.run(feeds).y as Float32Array | Int8Array;
  } finally {
    session.close();
  }
}
