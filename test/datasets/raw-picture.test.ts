import fc from 'fast-check';
import { Rng } from '../../lib/core/rng';
import {
  COLOR_RANGES,
  type ColorRange,
  RAW_FORMATS,
  type RawFormatName,
  rawPictureBytes,
  readRawPicture,
} from '../../lib/data/raw-picture';

type Yuv = readonly [y: number, u: number, v: number];

/** BT.601 as the recommendation writes it, in float64: brightness and colour differences from 0 to 1, then bytes. */
function exactColor([y, u, v]: Yuv, range: ColorRange): readonly number[] {
  const luma = range === 'full' ? y / 255 : (y - 16) / (235 - 16);
  const [cb, cr] = [u, v].map((byte) => (range === 'full' ? (byte - 128) / 255 : (byte - 128) / (240 - 16)));
  const red = luma + 1.402 * cr;
  const blue = luma + 1.772 * cb;
  const green = (luma - 0.299 * red - 0.114 * blue) / 0.587;
  return [red, green, blue].map((value) => Math.min(255, Math.max(0, Math.floor(255 * value + 0.5))));
}

/** Where the bytes of pixel (x, y) lie, as the documents of V4L2 draw it. */
const PLACES: Readonly<Record<Exclude<RawFormatName, 'rgb24'>, (x: number, y: number, w: number, h: number) => Yuv>> = {
  yuyv: (x, y, w) => {
    const pair = 4 * (y * (w / 2) + Math.floor(x / 2));
    return [pair + 2 * (x % 2), pair + 1, pair + 3];
  },
  nv12: (x, y, w, h) => {
    const u = w * h + Math.floor(y / 2) * w + 2 * Math.floor(x / 2);
    return [y * w + x, u, u + 1];
  },
  yuv420: (x, y, w, h) => {
    const place = Math.floor(y / 2) * (w / 2) + Math.floor(x / 2);
    return [y * w + x, w * h + place, w * h + (w / 2) * (h / 2) + place];
  },
};
const PLANAR = Object.keys(PLACES) as (keyof typeof PLACES)[];

describe.each(COLOR_RANGES)('%s range', (range) => {
  test('colours of all bytes are those of BT.601, but a handful that lie between two', () => {
    // One picture per brightness, with every pair of chroma bytes in a block of yuyv.
    const size = { width: 512, height: 256 };
    const bytes = new Uint8Array(rawPictureBytes(RAW_FORMATS.yuyv, size));
    let others = 0;
    for (let y = 0; y < 256; y += 51) {
      for (let u = 0; u < 256; u++) for (let v = 0; v < 256; v++) bytes.set([y, u, y, v], 4 * (u * 256 + v));
      const { rgb } = readRawPicture(RAW_FORMATS.yuyv, bytes, size, range);
      for (let pair = 0; pair < 65536; pair++) {
        const expected = exactColor([y, pair >> 8, pair & 255], range);
        for (let channel = 0; channel < 3; channel++) {
          const found = rgb[6 * pair + channel];
          if (found !== expected[channel]) others++;
          if (Math.abs(found - expected[channel]) > 1) throw new Error(`${y} ${pair}: ${found}, not ${expected}`);
        }
      }
    }
    expect(others / (6 * 65536 * 3)).toBeLessThan(3e-4);
  });

  test.each<[Yuv, limited: readonly number[], full: readonly number[]]>([
    [
      [16, 128, 128],
      [0, 0, 0],
      [16, 16, 16],
    ],
    [
      [235, 128, 128],
      [255, 255, 255],
      [235, 235, 235],
    ],
    [
      [0, 128, 128],
      [0, 0, 0],
      [0, 0, 0],
    ],
    [
      [255, 128, 128],
      [255, 255, 255],
      [255, 255, 255],
    ],
    [
      [81, 90, 240],
      [254, 0, 0],
      [238, 14, 14],
    ],
    [
      [145, 54, 34],
      [0, 255, 1],
      [13, 238, 14],
    ],
    [
      [41, 240, 110],
      [0, 0, 255],
      [16, 15, 239],
    ],
  ])('%j', ([y, u, v], limited, full) => {
    const { rgb } = readRawPicture(RAW_FORMATS.yuyv, Uint8Array.of(y, u, y, v), { width: 2, height: 1 }, range);
    const expected = range === 'full' ? full : limited;
    expect([...rgb]).toEqual([...expected, ...expected]);
  });
});

test.each(PLANAR)('%s: every pixel takes its own bytes', (name) => {
  const format = RAW_FORMATS[name];
  const sizes = fc.record({
    columns: fc.integer({ min: 1, max: 9 }),
    rows: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(sizes, fc.constantFrom(...COLOR_RANGES), ({ columns, rows, seed }, range) => {
      const size = { width: columns * format.block[0], height: rows * format.block[1] };
      const rng = new Rng(seed);
      const bytes = Uint8Array.from({ length: rawPictureBytes(format, size) }, () => rng.integer(0, 255));
      const { width, height, rgb } = readRawPicture(format, bytes, size, range);
      expect([width, height, rgb.length]).toEqual([size.width, size.height, 3 * width * height]);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const places = PLACES[name](x, y, width, height);
          const expected = exactColor([bytes[places[0]], bytes[places[1]], bytes[places[2]]], range);
          for (const [channel, value] of expected.entries())
            expect(Math.abs(rgb[3 * (y * width + x) + channel] - value)).toBeLessThanOrEqual(1);
        }
    }),
  );
});

test('rgb24 is the picture as it is', () => {
  const bytes = Uint8Array.from({ length: 18 }, (_, index) => index);
  const size = { width: 3, height: 2 };
  expect(rawPictureBytes(RAW_FORMATS.rgb24, size)).toBe(18);
  expect(readRawPicture(RAW_FORMATS.rgb24, bytes, size, 'limited')).toEqual({ ...size, rgb: bytes });
});
