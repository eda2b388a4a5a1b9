import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { HoneError } from '../core/error';
import type { Picture } from '../core/preprocess';
import { withHuffmanTables } from './huffman-tables';
import { orientationOf, turnPicture } from './orientation';

/** Larger pictures are refused before memory is taken for them. */
const MAX_MEGAPIXELS = 100;
const MAX_JPEG_MEMORY_MB = 2048;

/** Endings of the picture files that are read. */
export const IMAGE_ENDINGS = ['.png', '.jpg', '.jpeg'] as const;

/**
 * Picture of a PNG or JPEG file, as a viewer shows it: a JPEG's EXIF orientation is followed. The content decides, not the
 * ending. Transparency is dropped, 16-bit PNGs become 8-bit.
 * @throws E_DATA_FORMAT
 */
export function decodeImage(bytes: Uint8Array, path: string): Picture {
  const fail = (reason: string, cause?: unknown) => new HoneError('E_DATA_FORMAT', { path, reason }, { cause });
  try {
    if (isPng(bytes)) return decodePng(bytes);
    if (isJpeg(bytes)) {
      return turnPicture(decodeJpeg(bytes), orientationOf(bytes));
    }
  } catch (error) {
    throw fail(`the picture cannot be decoded (${error instanceof Error ? error.message : String(error)})`, error);
  }
  throw fail('neither a PNG nor a JPEG picture');
}

/** Whether a file begins as pictures do that `decodeImage` reads. */
export function isImage(bytes: Uint8Array): boolean {
  return isPng(bytes) || isJpeg(bytes);
}

function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8;
}

function isPng(bytes: Uint8Array): boolean {
  return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, index) => bytes[index] === byte);
}

function decodePng(bytes: Uint8Array): Picture {
  if (bytes.length < 33) throw new Error('cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixels = view.getUint32(16, false) * view.getUint32(20, false);
  if (pixels > MAX_MEGAPIXELS * 1e6) throw tooLarge();
  return dropAlpha(PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
}

function decodeJpeg(bytes: Uint8Array): Picture {
  const options = { useTArray: true, formatAsRGBA: false } as const;
  const limits = { maxResolutionInMP: MAX_MEGAPIXELS, maxMemoryUsageInMB: MAX_JPEG_MEMORY_MB };
  try {
    const { width, height, data: rgb } = jpeg.decode(withHuffmanTables(bytes), { ...options, ...limits });
    return requirePixels({ width, height, rgb });
  } catch (error) {
    // The decoder names its own option, which no reader of ours has ever set.
    throw String(error).includes('maxResolutionInMP') ? tooLarge() : error;
  }
}

function tooLarge(): Error {
  return new Error(`more than ${MAX_MEGAPIXELS} megapixels`);
}

function dropAlpha(image: { readonly width: number; readonly height: number; readonly data: Uint8Array }): Picture {
  const { width, height, data } = image;
  const rgb = new Uint8Array(Math.floor((3 * data.length) / 4));
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return requirePixels({ width, height, rgb });
}

function requirePixels(picture: Picture): Picture {
  const bytes = 3 * picture.width * picture.height;
  if (bytes === 0 || picture.rgb.length !== bytes) throw new Error('no pixels');
  return picture;
}
