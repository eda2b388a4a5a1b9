import fc from 'fast-check';
import { fitOf } from '../../lib/core/picture-fit';
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
import { Rng } from '../../lib/core/rng';

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

/** The filter element by element: a triangle as wide as a pixel of the larger grid, rows first in float32, then columns. */
function slowResize({ width: w, height: h, rgb }: Picture, height: number, width: number): number[] {
  const weigh = (from: number, to: number, place: number, value: (k: number) => number) => {
    const [scale, support] = [from / to, Math.max(1, from / to)];
    const centre = (place + 0.5) * scale;
    const weights = Array.from({ length: from }, (_, k) => Math.max(0, 1 - Math.abs(k + 0.5 - centre) / support));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.reduce((sum, weight, k) => sum + (weight / total) * value(k), 0);
  };
  const narrow = (y: number, x: number, c: number) => Math.fround(weigh(w, width, x, (k) => rgb[3 * (y * w + k) + c]));
  return Array.from({ length: 3 * height * width }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width, i % 3];
    return Math.round(weigh(h, height, y, (k) => narrow(k, x, c)));
  });
}

test('resizing is the filter element by element; normalizing is the formula of every byte', () => {
  const side = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(side, side, side, side, fc.nat(), (h, w, height, width, seed) => {
      const rng = new Rng(seed);
      const rgb = Uint8Array.from({ length: 3 * h * w }, () => rng.integer(0, 255));
      const resized = resizePicture({ width: w, height: h, rgb }, height, width);
      expect([...resized.rgb]).toEqual(slowResize({ width: w, height: h, rgb }, height, width));
      const given = spec({
        size: [height, width],
        scale: 0.017,
        mean: [0.4, 1, 2],
        std: [0.3, 0.7, -2],
        layout: 'NHWC',
      });
      const { fround } = Math;
      const expected = [...resized.rgb].map((byte, i) =>
        fround(fround(fround(byte * fround(0.017)) - fround(given.mean[i % 3])) / fround(given.std[i % 3])),
      );
      expect([...normalize(resized, given)]).toEqual(expected);
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

test('letterbox keeps the whole picture and fills the rest', () => {
  const gray = (...rows: number[][]) => picture(rows.map((row) => row.map((value) => [value, value, value])));
  const reds = ({ rgb, width }: Picture) => {
    const row = (index: number) => Array.from({ length: width }, (_, x) => rgb[3 * (index * width + x)]);
    return Array.from({ length: rgb.length / 3 / width }, (_, index) => row(index));
  };
  const boxed = (source: Picture, rest: Partial<PreprocessSpec>) =>
    reds(fitPicture(source, spec({ resize: 'letterbox', ...rest })));
  const [wide, tall] = [gray([10, 20]), gray([10], [20])];
  // The odd row or column is the last.
  expect(boxed(wide, { size: [4, 2] })).toEqual([
    [114, 114],
    [10, 20],
    [114, 114],
    [114, 114],
  ]);
  expect(boxed(tall, { size: [2, 4], pad: 7 })).toEqual([
    [7, 10, 7, 7],
    [7, 20, 7, 7],
  ]);
  expect(boxed(wide, { size: [3, 2], align: 'start', pad: 0 })).toEqual([
    [10, 20],
    [0, 0],
    [0, 0],
  ]);
  expect(boxed(tall, { size: [2, 3], align: 'start' })).toEqual([
    [10, 114, 114],
    [20, 114, 114],
  ]);
  expect(boxed(gray([10, 10], [10, 10]), { size: [1, 3], pad: 0 })).toEqual([[0, 10, 0]]);
  // A side that would round to nothing, and one that fits exactly.
  expect(boxed(gray(Array<number>(9).fill(5)), { size: [3, 3], pad: 0 })).toEqual([
    [0, 0, 0],
    [5, 5, 5],
    [0, 0, 0],
  ]);
  expect(boxed(wide, { size: [1, 2] })).toEqual([[10, 20]]);
});

test('property: a picture lies inside the model input, or covers it', () => {
  const extent = fc.integer({ min: 1, max: 500 });
  const resize = fc.constantFrom('stretch', 'crop', 'letterbox');
  fc.assert(
    fc.property(extent, extent, extent, extent, resize, (width, height, rows, columns, kind) => {
      const { scaled, left, top } = fitOf({ width, height }, { size: [rows, columns], resize: kind });
      const right = columns - left - scaled.width;
      const bottom = rows - top - scaled.height;
      const margins = [left, top, right, bottom];
      const sign = kind === 'crop' ? -1 : 1;
      expect(margins.every((pixels) => sign * pixels >= 0)).toBe(true);
      expect([right - left, bottom - top].every((odd) => [0, sign].includes(odd))).toBe(true);
      if (kind === 'stretch') expect(scaled).toEqual({ width: columns, height: rows });
      if (kind === 'letterbox') expect([left + right, top + bottom]).toContain(0);
    }),
  );
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
  [{ size: [1, 2], resize: 'pad' }, 'E_OPTION_VALUE', /stretch or crop or letterbox.*pad/],
  [{ size: [1, 2], pad: 0 }, 'E_OPTION_VALUE', /pad: expected resize 'letterbox' beside it, found 'stretch'/],
  [{ size: [1, 2], resize: 'crop', align: 'start' }, 'E_OPTION_VALUE', /align: expected resize 'letterbox'/],
  [{ size: [1, 2], resize: 'letterbox', pad: 256 }, 'E_OPTION_VALUE', /pad: expected a byte/],
  [{ size: [1, 2], resize: 'letterbox', pad: 0.5 }, 'E_OPTION_VALUE', /pad: expected a byte/],
  [{ size: [1, 2], resize: 'letterbox', align: 'end' }, 'E_OPTION_VALUE', /center or start.*end/],
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
  const letterbox = spec({ resize: 'letterbox', align: 'start', pad: 0 });
  expect(letterbox).toMatchObject({ resize: 'letterbox', align: 'start', pad: 0 });
  for (const each of [full, letterbox]) expect(parsePreprocess(JSON.parse(JSON.stringify(each)))).toEqual(each);
});
