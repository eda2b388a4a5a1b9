import { type Tensor, tensorFrom, toNumbers } from '../../../lib/ir/tensor';
import { ints, opCase, random } from '../draw';
import { floats, integers, type OpCase } from '../op-case';

const truths = (...values: number[]) => tensorFrom('bool', [values.length], values);
const x = random([3, 4, 5]);

/** Multiples of a share, equal ones among them. */
const shares = (dims: readonly number[], most: number, seed: number, by = 1): Tensor =>
  floats(
    toNumbers(integers('int32', dims, 0, most, seed)).map((value) => value / by),
    dims,
  );

/** Operators of whose outputs data decide an extent. */
export const PLACES: readonly OpCase[] = [
  opCase('NonZero', 'floats', [floats([0, -0, 1, Number.NaN, -2, 0], [2, 3])]),
  ...(['int32', 'int64', 'uint8', 'bool'] as const).map((type) =>
    opCase('NonZero', type, [integers(type as 'uint8', [2, 3, 4], 0, 1, 5)]),
  ),
  opCase('NonZero', 'nothing but zeros', [floats([0, 0, 0])]),
  opCase('Compress', 'rows', [x, truths(1, 0, 1)], { axis: 0 }),
  opCase('Compress', 'columns, fewer conditions', [x, truths(0, 1, 1)], { axis: -1 }),
  opCase('Compress', 'elements', [x, truths(0, 1, 1, 0, 0, 0, 1)]),
  opCase('Compress', 'nothing', [x, truths(0, 0, 0)], { axis: 0 }),
  opCase('Compress', 'bytes', [integers('uint8', [4, 3], 0, 255), truths(1, 1, 0, 1)], { axis: 0 }),
  ...[0, 1].flatMap((center_point_box) =>
    [1, 2, 3].map((seed) =>
      opCase(
        'NonMaxSuppression',
        `${center_point_box ? 'centers' : 'corners'}, seed ${seed}`,
        [
          shares([2, 30, 4], 9, seed),
          shares([2, 3, 30], 12, seed + 9, 10),
          ints(seed * 4),
          floats([0.3]),
          floats([0.25]),
        ],
        { center_point_box },
      ),
    ),
  ),
  opCase('NonMaxSuppression', 'every score counts', [
    shares([1, 20, 4], 9, 4),
    shares([1, 2, 20], 30, 5, 10),
    ints(20),
    floats([0.5]),
  ]),
  opCase('NonMaxSuppression', 'no thresholds', [shares([1, 20, 4], 9, 4), shares([1, 2, 20], 30, 5, 10), ints(20)]),
];
