import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { HoneError } from '../core/error';
import type { Picture } from '../core/preprocess';
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
  const options = { useTArray: true, formatAsRGBA: true } as const;
  const limits = { maxResolutionInMP: MAX_MEGAPIXELS, maxMemoryUsageInMB: MAX_JPEG_MEMORY_MB };
  try {
    return dropAlpha(jpeg.decode(bytes, { ...options, ...limits }));
  } catch (error) {
    // The decoder names its own option, which no reader of ours has ever set.
    throw String(error).includes('maxResolutionInMP') ? tooLarge() : error;
  }
}

function tooLarge(): Error {
  return new Error(`more than ${MAX_MEGAPIXELS} megapixels`);
}

function dropAlpha(image: { readonly width: number; readonly height: number; readonly data: Uint8Array }): Picture {
  const pixels = image.width * image.height;
  if (pixels === 0 || image.data.length !== 4 * pixels) throw new Error('no pixels');
  const rgb = new Uint8Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let channel = 0; channel < 3; channel++) rgb[3 * pixel + channel] = image.data[4 * pixel + channel];
  return { width: image.width, height: image.height, rgb };
}
