import type { ReduceOp } from '../../lib/compile/families/reduce';
import type { HoneError } from '../../lib/core/error';
import { openSession } from '../../lib/engine/session';
import { GRID, PlanBuilder } from './plans';

type Word = ReduceOp extends `reduce_${infer W}` ? W : never;

/** What each reduction makes of some elements: a new one is a type error here. */
const OF: Readonly<Record<Word, (...elements: number[]) => number>> = {
  max_s8: Math.max,
  max_f32: Math.max,
  min_s8: Math.min,
  min_f32: Math.min,
};

const BYTES: readonly (readonly number[])[] = [
  [-128, -128, -128],
  [127, 127, 127],
  [-1, 127, 0],
  [0, -128, 5],
  [5, -7, 5],
];
const LARGEST = 3.4028234663852886e38;
const DENORMAL = 2 ** -149;
const FLOATS: readonly (readonly number[])[] = [
  [-1, -Infinity, -2],
  [-Infinity, -Infinity, -Infinity],
  [3, Infinity, 4],
  [Infinity, Infinity, Infinity],
  [LARGEST, -LARGEST, LARGEST],
  [-LARGEST, -Infinity, -LARGEST],
  [Infinity, LARGEST, Infinity],
  [DENORMAL, 0, -DENORMAL],
  [NaN, 1, 2],
  [1, NaN, 2],
  [1, 2, NaN],
  [Infinity, NaN, -Infinity],
  [0, NaN, -0],
  [-0, 0, -1],
  [0, -0, -1],
  [-0, 0, 1],
  [0, -0, 1],
  [-0, -0, -0],
  [0, 0, 0],
];

/** Row `i` of a table that repeats its rows, each `length` elements long by repetition of theirs. */
const rowOf = (rows: readonly (readonly number[])[], i: number, length: number): number[] =>
  Array.from({ length }, (_, k) => rows[i % rows.length][k % 3]);

describe.each(Object.entries(OF) as [Word, (typeof OF)[Word]][])('reduce_%s', (word, reduce) => {
  const integer = word.endsWith('_s8');
  const special = integer ? BYTES : FLOATS;
  const [type, grid] = integer ? (['int8', GRID] as const) : (['float32', undefined] as const);
  const arrayOf = (values: readonly number[]) => (integer ? Int8Array.from(values) : Float32Array.from(values));
  /** Result for x and y of these extents. */
  const run = (x: readonly number[], y: readonly number[], data: readonly number[]) => {
    const b = new PlanBuilder();
    const [input, output] = [b.input('x', type, x, grid), b.output('y', type, y, grid)];
    const session = openSession(b.node({ op: `reduce_${word}`, outputs: [output], inputs: [input] }).write());
    try {
      return session.run({ x: arrayOf(data) }).y;
    } finally {
      session.close();
    }
  };

  // Below, at and above the registers of every instruction set, and four of them.
  test.each([1, 2, 3, 5, 8, 31, 32, 33, 129, 300])('rows of %d', (length) => {
    const rows = special.map((_, i) => rowOf(special, i, length));
    const expected = arrayOf(rows.map((row) => reduce(...row)));
    expect(run([rows.length, length], [rows.length], rows.flat())).toEqual(expected);
  });

  test.each([1, 2, 7, 8, 16, 17, 33, 130])('columns, %d next to each other', (inner) => {
    const [outer, length] = [2, 3];
    const columns = Array.from({ length: outer * inner }, (_, i) => rowOf(special, i, length));
    const data = Array.from({ length: outer * length * inner }, (_, at) => {
      const [row, i, c] = [Math.floor(at / (length * inner)), Math.floor(at / inner) % length, at % inner];
      return columns[row * inner + c][i];
    });
    const expected = arrayOf(columns.map((column) => reduce(...column)));
    expect(run([outer, length, inner], [outer, inner], data)).toEqual(expected);
  });

  test.each([
    [[4], [4]],
    [[4, 3], [3]],
    [
      [4, 3],
      [4, 1],
    ],
    [[4, 3, 5], [4]],
    [
      [4, 3, 5],
      [4, 3],
    ],
    [
      [4, 3, 5],
      [3, 5],
    ],
    [
      [4, 3, 5, 1],
      [4, 5],
    ],
    [[4, 3], []],
  ])('refuses [%s] to [%s]', (x, y) => {
    const count = x.reduce((product, dim) => product * dim, 1);
    expect(() => run(x, y, new Array<number>(count).fill(0))).toThrow(
      expect.objectContaining({
        code: 'E_PLAN_FORMAT',
        message: expect.stringContaining('extents of operands'),
      }) as unknown as HoneError,
    );
  });
});
