import { tensorFrom } from '../../../lib/ir/tensor';
import { ints, opCase, random } from '../draw';
import { float, floats, type OpCase } from '../op-case';

const image = random([1, 2, 4, 5]);
const up = tensorFrom('float32', [4], [1, 1, 2, 3]);
const down = tensorFrom('float32', [4], [1, 1, 0.5, 0.6]);
const MODES = ['nearest', 'linear', 'cubic'];
const COORDINATES = ['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'];
const NEAREST = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

const FRACTIONS = [
  [10, 0.7],
  [10, 0.3],
  [5, 0.6],
  [7, 1.3],
  [10, 1.1],
  [3, 2.7],
  [13, 0.9],
  [9, 1 / 3],
] as const;

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
  // Products and quotients that float64 would put on the other side of a whole number.
  ...FRACTIONS.flatMap(([extent, scale]) => {
    const row = random([1, 1, 1, extent]);
    const scales = tensorFrom('float32', [4], [1, 1, 1, scale]);
    return [
      ...NEAREST.map((nearest_mode) =>
        opCase('Resize', `nearest, ${nearest_mode}, ${extent} by ${scale}`, [row, undefined, scales], {
          nearest_mode,
          coordinate_transformation_mode: 'asymmetric',
        }),
      ),
      opCase('Resize', `nearest, half_pixel, ${extent} by ${scale}`, [row, undefined, scales]),
      opCase('Resize', `linear, ${extent} by ${scale}`, [row, undefined, scales], { mode: 'linear' }),
      opCase('Resize', `opset 10, nearest, ${extent} by ${scale}`, [row, scales], {}, { opset: 10 }),
    ];
  }),
  opCase(
    'Resize',
    'opset 10, nearest, up and down',
    [image, tensorFrom('float32', [4], [1, 1, 1.7, 0.6])],
    {},
    {
      opset: 10,
    },
  ),
  ...[
    [37, 53],
    [53, 37],
  ].map(([from, to]) =>
    opCase('Resize', `nearest, ${from} to ${to} both ways`, [
      random([1, 3, from, from]),
      undefined,
      undefined,
      ints(1, 3, to, to),
    ]),
  ),
  ...['linear', 'cubic'].flatMap((mode) => [
    opCase('Resize', `${mode}, ten channels`, [random([1, 10, 5, 4]), undefined, undefined, ints(1, 10, 3, 11)], {
      mode,
    }),
    opCase(
      'Resize',
      `${mode}, half_pixel_symmetric`,
      [image, undefined, tensorFrom('float32', [4], [1, 1, 1.3, 0.7])],
      {
        mode,
        coordinate_transformation_mode: 'half_pixel_symmetric',
      },
    ),
  ]),
  ...['linear', 'cubic'].flatMap((mode) =>
    [
      [0.6, 0.45],
      [0.5, 1.5],
      [0.3, 0.8],
    ].map((scales) =>
      opCase(
        'Resize',
        `${mode}, antialias, ${scales}`,
        [random([1, 2, 9, 11]), undefined, tensorFrom('float32', [4], [1, 1, ...scales])],
        {
          mode,
          antialias: 1,
        },
      ),
    ),
  ),
  ...['nearest', 'linear'].flatMap((mode) => [
    opCase(
      'Resize',
      `${mode}, a part of the image`,
      [image, floats([0, 0, 0.2, 0.1, 1, 1, 0.8, 0.7]), undefined, ints(1, 2, 5, 7)],
      {
        mode,
        coordinate_transformation_mode: 'tf_crop_and_resize',
      },
    ),
    opCase(
      'Resize',
      `${mode}, more than the image`,
      [image, floats([0, 0, -0.3, 0.1, 1, 1, 1.2, 1.4]), undefined, ints(1, 2, 6, 7)],
      {
        mode,
        coordinate_transformation_mode: 'tf_crop_and_resize',
      },
    ),
  ]),
  opCase(
    'Resize',
    'linear, extrapolated',
    [image, floats([0, 0, -0.3, 0.1, 1, 1, 1.2, 1.4]), undefined, ints(1, 2, 6, 7)],
    {
      mode: 'linear',
      coordinate_transformation_mode: 'tf_crop_and_resize',
      extrapolation_value: float(3),
    },
  ),
  opCase('Resize', 'linear, axes', [image, undefined, tensorFrom('float32', [2], [2, 1.5])], {
    mode: 'linear',
    axes: [2, 3],
  }),
  opCase('Resize', 'linear, sequences', [random([2, 3, 9]), undefined, undefined, ints(2, 3, 13)], { mode: 'linear' }),
  opCase('Resize', 'without a region, as exporters write it', [image, floats([]), undefined, ints(1, 2, 9, 8)], {
    mode: 'linear',
  }),
  opCase('Resize', 'cubic, another coefficient', [image, undefined, up], { mode: 'cubic', cubic_coeff_a: float(-0.5) }),
  opCase('Resize', 'opset 10, linear, down', [image, down], { mode: 'linear' }, { opset: 10 }),
  opCase('Resize', 'cubic, exclude_outside', [image, undefined, up], { mode: 'cubic', exclude_outside: 1 }),
];
