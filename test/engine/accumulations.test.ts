import { REDUCE_OPERATIONS, type ReduceOperation } from '../../lib/core/reduce-operation';
import { Rng } from '../../lib/core/rng';
import { openSession } from '../../lib/engine/session';
import { PlanBuilder } from './plans';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What each reduction makes of some elements, in float64: a new one is a type error here. */
const OF: Readonly<Record<ReduceOperation, (elements: readonly number[]) => number>> = {
  sum,
  mean: (elements) => sum(elements) / elements.length,
  sum_square: (elements) => sum(elements.map((x) => x * x)),
  l1: (elements) => sum(elements.map(Math.abs)),
  l2: (elements) => Math.sqrt(sum(elements.map((x) => x * x))),
  log_sum: (elements) => Math.log(sum(elements)),
  log_sum_exp: (elements) => {
    const largest = elements.reduce((a, b) => Math.max(a, b));
    return Math.log(sum(elements.map((x) => Math.exp(x - largest)))) + largest;
  },
  product: (elements) => elements.reduce((a, b) => a * b, 1),
};

const { fround } = Math;

function run(
  operation: ReduceOperation,
  x: readonly number[],
  y: readonly number[],
  data: Float32Array,
  clamp: { lo?: number; hi?: number } = {},
): Float32Array {
  const b = new PlanBuilder();
  const [input, output] = [b.input('x', 'float32', x), b.output('y', 'float32', y)];
  b.node({ op: 'reduce_f32', outputs: [output], inputs: [input], params: { operation, clamp } });
  const session = openSession(b.write());
  try {
    return session.run({ x: data }).y as Float32Array;
  } finally {
    session.close();
  }
}

describe.each(REDUCE_OPERATIONS)('$name', ({ name }) => {
  const of = OF[name];
  // A product stays near 1, a logarithm is of positive numbers.
  const [least, most] = name === 'product' ? [0.9, 1.1] : name === 'log_sum' ? [0, 3] : [-2, 3];
  const draw = (count: number): Float32Array => {
    const rng = new Rng(count);
    return Float32Array.from({ length: count }, () => least + (most - least) * rng.uniform());
  };
  const close = (found: Float32Array, expected: readonly number[]) => {
    const wrong = expected.filter((value, i) => !(Math.abs(found[i] - value) <= 1e-5 * (1 + Math.abs(value))));
    expect(wrong).toEqual([]);
    expect(found.length).toBe(expected.length);
  };

  // Around the registers of every instruction set, 16 partials, and a block of them.
  test.each([1, 2, 7, 16, 17, 129, 2047, 2049, 5000])('rows of %d', (length) => {
    const data = draw(3 * length);
    const rows = [0, 1, 2].map((row) => Array.from(data.subarray(row * length, (row + 1) * length)));
    close(run(name, [3, length], [3], data), rows.map(of));
  });

  test.each([
    [3, 1],
    [3, 7],
    [128, 17],
    [300, 33],
  ])('columns of %d, %d next to each other', (length, inner) => {
    const data = draw(2 * length * inner);
    const column = (at: number) =>
      Array.from({ length }, (_, i) => data[Math.floor(at / inner) * length * inner + i * inner + (at % inner)]);
    close(
      run(name, [2, length, inner], [2, inner], data),
      Array.from({ length: 2 * inner }, (_, at) => of(column(at))),
    );
  });

  // Numbers of one sign and one size: where rounding adds up most.
  test.each([
    [[1, 100_000], [1]],
    [
      [1, 100_000, 2],
      [1, 2],
    ],
  ])('%j stays accurate', (x, y) => {
    const value = name === 'product' ? 1.00001 : 0.1;
    const found = run(name, x, y, new Float32Array(100_000 * (x[2] ?? 1)).fill(value));
    const expected = of(new Array<number>(100_000).fill(fround(value)));
    const tolerance = name === 'product' ? 1e-2 : 2e-5;
    for (const one of found) expect(Math.abs(one - expected)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(expected)));
  });

  test('bounds, and a NaN that stays one', () => {
    const data = Float32Array.of(1, 2, -3, NaN, 1, 2, 3, 1, 2);
    const found = run(name, [3, 3], [3], data, { lo: -0.25, hi: 0.5 });
    const bounded = (values: number[]) => fround(Math.min(Math.max(of(values), -0.25), 0.5));
    const exact = [bounded([1, 2, -3]), NaN, bounded([3, 1, 2])];
    expect(Array.from(found)).toEqual(exact);
  });
});

test.each<[operation: ReduceOperation, elements: readonly number[], expected: number]>([
  ['log_sum_exp', [1000, 1000], fround(1000 + Math.LN2)],
  ['log_sum_exp', [-Infinity, -Infinity], -Infinity],
  ['log_sum_exp', [Infinity, 3], Infinity],
  ['log_sum_exp', [-Infinity, 3], 3],
  ['log_sum', [0, 0], -Infinity],
  ['log_sum', [1, -2], NaN],
  ['sum', [Infinity, -Infinity], NaN],
  ['l2', [2 ** -70, 0], 2 ** -70],
  ['l2', [0, -0], 0],
  ['product', [0, Infinity], NaN],
  ['mean', [3e38, 3e38], Infinity],
])('%s of %j is %d', (operation, elements, expected) => {
  expect(run(operation, [1, 2], [1], Float32Array.from(elements))[0]).toBe(expected);
  const columns = Float32Array.from(elements.flatMap((x) => [x, x]));
  expect(run(operation, [1, 2, 2], [1, 2], columns)).toEqual(Float32Array.of(expected, expected));
});
