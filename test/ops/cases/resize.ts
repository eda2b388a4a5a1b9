import { tensorFrom } from '../../../lib/ir/tensor';
import { ints, opCase, random } from '../draw';
import type { OpCase } from '../op-case';

const image = random([1, 2, 4, 5]);
const up = tensorFrom('float32', [4], [1, 1, 2, 3]);
const down = tensorFrom('float32', [4], [1, 1, 0.5, 0.6]);
const MODES = ['nearest', 'linear', 'cubic'];
const COORDINATES = ['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'];
const NEAREST = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

export const CASES: readonly OpCase[] = [
  ...MODES.flatMap((mode) =>
    COORDINATES.flatMap((coordinate_transformation_mode) => [
      opCase('Resize', `${mode}, ${coordinate_transformation_mode}, up`, [image, undefined, up], {
        mode,
        coordinate_transformation_mode,
      }),
      opCase('Resize', `${mode}, ${coordinate_transformation_mode}, down`, [image, undefined, down], {
        mode,
        coordinate_transformation_mode,
      }),
    ]),
  ),
  ...NEAREST.map((nearest_mode) =>
    opCase('Resize', `nearest, ${nearest_mode}`, [image, undefined, undefined, ints(1, 2, 7, 3)], { nearest_mode }),
  ),
  opCase('Resize', 'cubic, exclude_outside', [image, undefined, up], { mode: 'cubic', exclude_outside: 1 }),
];
