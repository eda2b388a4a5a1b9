import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import jpeg from 'jpeg-js';
import type { Picture } from '../../lib/core/preprocess';
import { decodeImage } from '../../lib/data/image';
import { type Orientation, orientationOf, turnPicture } from '../../lib/data/orientation';
import { casePath, describeWithCases } from '../data';

/** Turns as EXIF words them, made of the two plain ones: mirror left and right, and a quarter to the right. */
const mirror = ({ width, height, rgb }: Picture): Picture =>
  map(width, height, (x, y) => pixel(rgb, width, width - 1 - x, y));
const quarter = ({ width, height, rgb }: Picture): Picture =>
  map(height, width, (x, y) => pixel(rgb, width, y, height - 1 - x));
const half = (picture: Picture) => quarter(quarter(picture));
const ORACLE: Readonly<Record<Orientation, (picture: Picture) => Picture>> = {
  1: (picture) => picture,
  2: mirror,
  3: half,
  4: (picture) => half(mirror(picture)),
  5: (picture) => quarter(half(mirror(picture))),
  6: quarter,
  7: (picture) => quarter(mirror(picture)),
  8: (picture) => quarter(half(picture)),
};
const ORIENTATIONS = Object.keys(ORACLE).map((key) => Number(key) as Orientation);

function pixel(rgb: Uint8Array, width: number, x: number, y: number): Uint8Array {
  return rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3);
}

function map(width: number, height: number, at: (x: number, y: number) => Uint8Array): Picture {
  const list = Array.from({ length: width * height }, (_, index) => [...at(index % width, Math.floor(index / width))]);
  return { width, height, rgb: Uint8Array.from(list.flat()) };
}

/** A stored picture of 3 x 2 pixels, all different. */
const STORED: Picture = { width: 3, height: 2, rgb: Uint8Array.from({ length: 18 }, (_, index) => 10 * index) };

const pixels = Buffer.alloc(16 * 8 * 4, 255);
for (let index = 0; index < 128; index++) pixels.set(index % 16 < 8 ? [255, 0, 0] : [0, 0, 255], 4 * index);
const plain = jpeg.encode({ width: 16, height: 8, data: pixels }, 95).data;

/** A JPEG, 16 x 8, left half red and right half blue, with these bytes as an EXIF segment in front of all others. */
function jpegWith(tiff: Uint8Array): Uint8Array {
  const length = tiff.length + 8;
  const head = [0xff, 0xe1, length >> 8, length & 255, ...Buffer.from('Exif\0\0', 'latin1')];
  return Uint8Array.from([...plain.subarray(0, 2), ...head, ...tiff, ...plain.subarray(2)]);
}

/** TIFF structure whose first directory has an entry before the orientation. */
function tiffOf(orientation: number, little: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 + 2 + 24 + 4));
  view.setUint16(0, little ? 0x4949 : 0x4d4d, false);
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, 2, little);
  for (const [index, [tag, value]] of [
    [0x0100, 16],
    [0x0112, orientation],
  ].entries()) {
    view.setUint16(10 + 12 * index, tag, little);
    view.setUint16(12 + 12 * index, 3, little);
    view.setUint32(14 + 12 * index, 1, little);
    view.setUint16(18 + 12 * index, value, little);
  }
  return new Uint8Array(view.buffer);
}

test.each(ORIENTATIONS)('orientation %i turns as its words say', (orientation) => {
  expect(turnPicture(STORED, orientation)).toEqual(ORACLE[orientation](STORED));
});

describe.each([
  ['little', true],
  ['big', false],
] as const)('%s endian', (_, little) => {
  test.each(ORIENTATIONS)('a JPEG with tag %i is shown turned', (orientation) => {
    const bytes = jpegWith(tiffOf(orientation, little));
    expect(orientationOf(bytes)).toBe(orientation);
    const shown = decodeImage(bytes, 'a.jpg');
    expect([shown.width, shown.height]).toEqual(orientation >= 5 ? [8, 16] : [16, 8]);
    expect(shown).toEqual(ORACLE[orientation](decodeImage(jpegWith(tiffOf(1, little)), 'a.jpg')));
  });

  test.each([0, 9, 65535])('tag %i means nothing', (value) => {
    expect(orientationOf(jpegWith(tiffOf(value, little)))).toBe(1);
  });
});

test('any bytes in place of EXIF data give an orientation or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(ORIENTATIONS).toContain(orientationOf(jpegWith(bytes)));
      expect(ORIENTATIONS).toContain(orientationOf(Uint8Array.from([0xff, 0xd8, ...bytes])));
    }),
  );
});

test('changed and cut EXIF data give an orientation or none', () => {
  const good = tiffOf(6, true);
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255), cut: fc.nat(good.length) });
  fc.assert(
    fc.property(change, ({ at, to, cut }) => {
      const bytes = Uint8Array.from(good);
      bytes[at] = to;
      expect(ORIENTATIONS).toContain(orientationOf(jpegWith(bytes)));
      expect(ORIENTATIONS).toContain(orientationOf(jpegWith(bytes.subarray(0, cut))));
    }),
  );
});

describeWithCases('turned6.jpg', () => {
  test('is 24 pixels wide and 40 high', () => {
    const { width, height } = decodeImage(readFileSync(casePath('turned6.jpg')), 'turned6.jpg');
    expect([width, height]).toEqual([24, 40]);
  });
});
