import type { PlanArray } from '../../lib/engine/addon';
import { openSession } from '../../lib/engine/session';
import type { PlanNode } from '../../lib/plan/description';
import { PlanBuilder } from './plans';

/** Outputs of one node over x, of the types and extents given. */
function run(
  op: 'arg_extreme' | 'cumulative_sum' | 'top_k',
  params: object,
  x: readonly [type: 'float32' | 'int32' | 'int64' | 'int8', dims: readonly number[], data: PlanArray],
  outputs: readonly (readonly [type: 'float32' | 'int32' | 'int64' | 'int8', dims: readonly number[]])[],
): PlanArray[] {
  const b = new PlanBuilder();
  const input = b.input('x', x[0], x[1]);
  const made = outputs.map(([type, dims], index) => b.output(`y${index}`, type, dims));
  b.node({ op, outputs: made, inputs: [input], params } as Omit<PlanNode, 'name'>);
  const session = openSession(b.write());
  try {
    const found = session.run({ x: x[2] });
    return made.map((_, index) => found[`y${index}`]);
  } finally {
    session.close();
  }
}

const SPECIAL = [3, -1, 5, 5, NaN, -Infinity, 5, 0, -0, Infinity, Infinity, -Infinity, 2];

/** Rows that begin at every place of the special numbers. */
const ROWS = SPECIAL.map((_, start) => Array.from({ length: 40 }, (_, i) => SPECIAL[(start + i) % SPECIAL.length]));

function placeOf(row: readonly number[], smallest: boolean, last: boolean): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) {
    const better = smallest ? row[i] < row[best] : row[i] > row[best];
    if (better || (last && row[i] === row[best])) best = i;
  }
  return best;
}

describe.each([false, true])('smallest: %s', (smallest) => {
  describe.each([false, true])('last: %s', (last) => {
    // Below two registers, and above.
    test.each([1, 7, 40])('places in rows and columns of %d', (length) => {
      const rows = ROWS.map((row) => row.slice(0, length));
      const expected = BigInt64Array.from(rows, (row) => BigInt(placeOf(row, smallest, last)));
      const along = Float32Array.from(rows.flat());
      const params = { smallest, last };
      expect(run('arg_extreme', params, ['float32', [13, length], along], [['int64', [13]]])).toEqual([expected]);
      const columns = Float32Array.from({ length: 13 * length }, (_, at) => rows[at % 13][Math.floor(at / 13)]);
      expect(run('arg_extreme', params, ['float32', [1, length, 13], columns], [['int64', [1, 13]]])).toEqual([
        expected,
      ]);
    });

    test('places of int8', () => {
      const data = Int8Array.of(1, -128, 127, 127, -128, 0);
      const expected = smallest ? (last ? 4n : 1n) : last ? 3n : 2n;
      const found = run('arg_extreme', { smallest, last }, ['int8', [1, 6], data], [['int64', [1]]]);
      expect(found).toEqual([BigInt64Array.of(expected)]);
    });
  });

  test.each([1, 3, 13])('the best %d, a NaN after all numbers', (count) => {
    const order = SPECIAL.map((_, i) => i).sort((a, b) => {
      const [x, y] = [SPECIAL[a], SPECIAL[b]];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
      return x === y ? a - b : (smallest ? x < y : x > y) ? -1 : 1;
    });
    const dims = [1, count];
    const found = run(
      'top_k',
      { count, smallest },
      ['float32', [1, 13], Float32Array.from(SPECIAL)],
      [
        ['float32', dims],
        ['int64', dims],
      ],
    );
    const best = order.slice(0, count);
    expect(found).toEqual([Float32Array.from(best, (i) => SPECIAL[i]), BigInt64Array.from(best, BigInt)]);
  });
});

test.each([
  [false, false, [1, 3, 6, 10]],
  [true, false, [0, 1, 3, 6]],
  [false, true, [10, 9, 7, 4]],
  [true, true, [9, 7, 4, 0]],
])('sums, exclusive %s, reverse %s', (exclusive, reverse, expected) => {
  const params = { exclusive, reverse };
  const row = run(
    'cumulative_sum',
    params,
    ['float32', [1, 4, 1], Float32Array.of(1, 2, 3, 4)],
    [['float32', [1, 4, 1]]],
  );
  expect(row).toEqual([Float32Array.from(expected)]);
  const columns = Int32Array.from([1, 2, 3, 4].flatMap((x) => [x, -x]));
  const found = run('cumulative_sum', params, ['int32', [1, 4, 2], columns], [['int32', [1, 4, 2]]]);
  expect(found).toEqual([Int32Array.from(expected.flatMap((x) => [x, 0 - x]))]);
});

test('sums of integers wrap around', () => {
  const data = Int32Array.of(2 ** 31 - 1, 1, 1);
  const params = { exclusive: false, reverse: false };
  const found = run('cumulative_sum', params, ['int32', [1, 3, 1], data], [['int32', [1, 3, 1]]]);
  expect(found).toEqual([Int32Array.of(2 ** 31 - 1, -(2 ** 31), -(2 ** 31) + 1)]);
});
