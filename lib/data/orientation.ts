import type { Picture } from '../core/preprocess';

/** How a stored picture is to be turned for showing: 1 to 8, tag 0x0112 of EXIF (JEITA CP-3451, TIFF 6.0). */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Where the pixel at column x and row y of the picture as shown lies in the stored one of width w and height h. */
const SOURCES: Readonly<Record<Orientation, (x: number, y: number, w: number, h: number) => [x: number, y: number]>> = {
  1: (x, y) => [x, y],
  2: (x, y, w) => [w - 1 - x, y],
  3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
  4: (x, y, _w, h) => [x, h - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, _w, h) => [y, h - 1 - x],
  7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
  8: (x, y, w) => [w - 1 - y, x],
};

/** The picture as a viewer shows it. */
export function turnPicture(picture: Picture, orientation: Orientation): Picture {
  if (orientation === 1) return picture;
  const { width: w, height: h, rgb } = picture;
  const [width, height] = orientation >= 5 ? [h, w] : [w, h];
  const turned = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [column, row] = SOURCES[orientation](x, y, w, h);
      const from = 3 * (row * w + column);
      turned.set(rgb.subarray(from, from + 3), 3 * (y * width + x));
    }
  return { width, height, rgb: turned };
}

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/** Orientation that a JPEG file's EXIF data names; 1 when they name none, or are damaged. */
export function orientationOf(jpeg: Uint8Array): Orientation {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  // Segments: marker, length of the rest. They end where the scan begins.
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== 0xda; ) {
    const length = view.getUint16(at + 2, false);
    const end = at + 2 + length;
    if (jpeg[at + 1] === 0xe1 && end <= jpeg.length && length >= 8 && text(jpeg, at + 4, 6) === 'Exif\0\0')
      return orientationIn(new DataView(jpeg.buffer, jpeg.byteOffset + at + 10, length - 8));
    at = end;
  }
  return 1;
}

/** Orientation in the first directory of a TIFF structure. */
function orientationIn(tiff: DataView): Orientation {
  if (tiff.byteLength < 8) return 1;
  const order = tiff.getUint16(0, false);
  const little = order === 0x4949;
  if ((!little && order !== 0x4d4d) || tiff.getUint16(2, little) !== 42) return 1;
  const start = tiff.getUint32(4, little);
  if (start + 2 > tiff.byteLength) return 1;
  const count = tiff.getUint16(start, little);
  for (let entry = 0; entry < count; entry++) {
    const at = start + 2 + 12 * entry;
    if (at + 12 > tiff.byteLength) return 1;
    if (tiff.getUint16(at, little) !== ORIENTATION_TAG) continue;
    const value = tiff.getUint16(at + 8, little);
    return tiff.getUint16(at + 2, little) === SHORT && value >= 1 && value <= 8 ? (value as Orientation) : 1;
  }
  return 1;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
