import fc from 'fast-check';
import {
  fitPicture,
  normalize,
  type Picture,
  type PreprocessSpec,
  parsePreprocess,
  preprocess,
  resizePicture,
  sampleShape,
} from '../../lib/core/preprocess';

const spec = (rest: Partial<PreprocessSpec> = {}) => parsePreprocess({ size: [1, 2], ...rest });
/** A picture from rows of [r, g, b] pixels. */
const picture = (rows: number[][][]): Picture => ({
  height: rows.length,
  width: rows[0].length,
  rgb: Uint8Array.from(rows.flat(2)),
});
const two = picture([
  [
    [10, 20, 30],
    [40, 50, 60],
  ],
]);

test('layouts and channel orders', () => {
  expect([...preprocess(two, spec())]).toEqual([10, 40, 20, 50, 30, 60]);
  expect([...preprocess(two, spec({ layout: 'NHWC' }))]).toEqual([10, 20, 30, 40, 50, 60]);
  expect([...preprocess(two, spec({ channels: 'BGR' }))]).toEqual([30, 60, 20, 50, 10, 40]);
  expect([...preprocess(two, spec({ channels: 'gray' }))]).toEqual([18, 48]);
  expect(sampleShape(spec())).toEqual([3, 1, 2]);
  expect(sampleShape(spec({ layout: 'NHWC', channels: 'gray' }))).toEqual([1, 2, 1]);
});

test('scale, mean and std in float32, per channel in the order of the channels', () => {
  const mean = [0.485, 0.456, 0.406];
  const std = [0.229, 0.224, 0.225];
  const { fround } = Math;
  const byte = fround(1 / 255);
  const found = normalize(two, spec({ scale: 1 / 255, mean, std, channels: 'BGR' }));
  const expected = [30, 60, 20, 50, 10, 40].map((value, index) => {
    const channel = index >> 1;
    return fround(fround(fround(value * byte) - fround(mean[channel])) / fround(std[channel]));
  });
  expect([...found]).toEqual(expected);
});

test('resizing: known numbers, constants stay, the mean stays', () => {
  const row = (...values: number[]) => picture([values.map((value) => [value, value, value])]);
  const reds = (image: Picture) => [...image.rgb].filter((_, index) => index % 3 === 0);
  // Pixel centres of the result lie at 0.25, 0.75, 1.25, 1.75 of the source.
  expect(reds(resizePicture(row(0, 100), 1, 4))).toEqual([0, 25, 75, 100]);
  // Triangle of half-width 2 around the centres 1 and 3.
  expect(reds(resizePicture(row(0, 0, 80, 80), 1, 2))).toEqual([11, 69]);
  expect(resizePicture(two, 1, 2)).toBe(two);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat(255), (height, width, value) => {
      const flat = picture(Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => [value, value, value])));
      expect(resizePicture(flat, height, width).rgb.every((byte) => byte === value)).toBe(true);
    }),
  );
});

test('crop keeps the aspect ratio and takes the centre', () => {
  const wide = picture([
    [
      [1, 0, 0],
      [2, 0, 0],
      [3, 0, 0],
      [4, 0, 0],
    ],
    [
      [5, 0, 0],
      [6, 0, 0],
      [7, 0, 0],
      [8, 0, 0],
    ],
  ]);
  const cut = fitPicture(wide, spec({ size: [2, 2], resize: 'crop' }));
  expect([cut.height, cut.width]).toEqual([2, 2]);
  expect([...cut.rgb].filter((byte) => byte > 0)).toEqual([2, 3, 6, 7]);
  const inner = fitPicture(wide, spec({ size: [1, 1], resize: 'crop', shorterSide: 2 }));
  expect(inner.rgb[0]).toBe(2);
});

const BAD: [unknown, string, RegExp][] = [
  [null, 'E_OPTION_VALUE', /an object/],
  [{}, 'E_OPTION_VALUE', /size/],
  [{ size: [0, 2] }, 'E_OPTION_VALUE', /size/],
  [{ size: [1, 2], layuot: 'NCHW' }, 'E_OPTION_UNKNOWN', /layuot/],
  [{ size: [1, 2], layout: 'CHW' }, 'E_OPTION_VALUE', /NCHW or NHWC/],
  [{ size: [1, 2], channels: 'CMYK' }, 'E_OPTION_VALUE', /RGB or BGR or gray/],
  [{ size: [1, 2], std: 0 }, 'E_OPTION_VALUE', /std.*other than 0/],
  [{ size: [1, 2], mean: [1, 2] }, 'E_OPTION_VALUE', /3 number/],
  [{ size: [1, 2], scale: '1' }, 'E_OPTION_VALUE', /scale/],
  [{ size: [10, 20], resize: 'crop', shorterSide: 15 }, 'E_OPTION_VALUE', /shorterSide/],
];
test.each(BAD)('refuses %j', (json, code, message) => {
  expect(() => parsePreprocess(json)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});

test('fills in what is left out, survives JSON, repeats single numbers per channel', () => {
  const full = parsePreprocess({ size: [2, 3], mean: 127, std: 128 });
  expect(full).toEqual({
    size: [2, 3],
    resize: 'stretch',
    layout: 'NCHW',
    channels: 'RGB',
    scale: 1,
    mean: [127, 127, 127],
    std: [128, 128, 128],
  });
  expect(parsePreprocess(JSON.parse(JSON.stringify(full)))).toEqual(full);
});
