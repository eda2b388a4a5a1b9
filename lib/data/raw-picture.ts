import type { PictureSize } from '../core/picture-fit';
import type { Picture } from '../core/preprocess';

/**
 * Which bytes stand for black and white: `limited` 16 and 235 (chroma 16 to 240), as cameras and video files have it, `full`
 * 0 and 255, as JPEG has it.
 */
export const COLOR_RANGES = ['limited', 'full'] as const;
export type ColorRange = (typeof COLOR_RANGES)[number];

/** How the bytes of an uncompressed picture lie, rows without gaps. */
export interface RawFormat {
  /** Names elsewhere, for help. */
  readonly known: string;
  /** Pixels that share one pair of chroma bytes: width and height are multiples. */
  readonly block: readonly [width: number, height: number];
  /** Bytes of one block. */
  readonly blockBytes: number;
  /** Where brightness and chroma lie; left out where the bytes are red, green, blue. */
  readonly planes?: (size: PictureSize) => Planes;
}

/** Places of bytes, of which chroma has one pair per block: `start + row * rowBytes + column * step`; u and v differ in their start. */
interface Planes {
  readonly luma: Plane;
  readonly u: Plane;
  readonly v: Plane;
}
type Plane = readonly [start: number, rowBytes: number, step: number];

/** Uncompressed pictures as cameras and video programs write them. */
export const RAW_FORMATS: Readonly<Record<'rgb24' | 'yuyv' | 'nv12' | 'yuv420', RawFormat>> = {
  rgb24: { known: 'ffmpeg rgb24, V4L2 RGB3', block: [1, 1], blockBytes: 3 },
  yuyv: {
    known: 'ffmpeg yuyv422, V4L2 YUYV',
    block: [2, 1],
    blockBytes: 4,
    planes: ({ width }) => ({ luma: [0, 2 * width, 2], u: [1, 2 * width, 4], v: [3, 2 * width, 4] }),
  },
  nv12: {
    known: 'ffmpeg nv12, V4L2 NV12',
    block: [2, 2],
    blockBytes: 6,
    planes: ({ width, height }) => {
      const pixels = width * height;
      return { luma: [0, width, 1], u: [pixels, width, 2], v: [pixels + 1, width, 2] };
    },
  },
  yuv420: {
    known: 'ffmpeg yuv420p, V4L2 YU12, rpicam-vid yuv420',
    block: [2, 2],
    blockBytes: 6,
    planes: ({ width, height }) => {
      const pixels = width * height;
      return { luma: [0, width, 1], u: [pixels, width / 2, 1], v: [pixels * 1.25, width / 2, 1] };
    },
  },
};
export type RawFormatName = keyof typeof RAW_FORMATS;

/** Bytes of one picture. */
export function rawPictureBytes({ block: [columns, rows], blockBytes }: RawFormat, size: PictureSize): number {
  return (size.width / columns) * (size.height / rows) * blockBytes;
}

/**
 * The picture in `rawPictureBytes` bytes; that of `rgb24` views them. Colours by ITU-R BT.601, every pixel with the chroma of
 * its block, in 16-bit fixed point: with y, u, v the bytes above black and above 128,
 * r = (a y + b v) / 2^16, g = (a y - c u - d v) / 2^16, b = (a y + e u) / 2^16, each rounded to the nearest and cut to a byte.
 */
export function readRawPicture(format: RawFormat, bytes: Uint8Array, size: PictureSize, range: ColorRange): Picture {
  const { width, height } = size;
  if (format.planes === undefined) return { width, height, rgb: bytes };
  const { luma, u, v } = format.planes(size);
  const [columns, rows] = format.block;
  const [lumaStart, lumaRow, lumaStep] = luma;
  const [uStart, chromaRow, chromaStep] = u;
  const vFromU = v[0] - uStart;
  const { black, gain, redV, greenU, greenV, blueU } = FACTORS[range];
  const rgb = new Uint8Array(3 * width * height);
  for (let row = 0; row * rows < height; row++) {
    let chroma = uStart + row * chromaRow;
    for (let left = 0; left < width; left += columns, chroma += chromaStep) {
      const cu = bytes[chroma] - 128;
      const cv = bytes[chroma + vFromU] - 128;
      const red = redV * cv + HALF;
      const green = HALF - greenU * cu - greenV * cv;
      const blue = blueU * cu + HALF;
      for (let y = row * rows; y < (row + 1) * rows; y++) {
        let from = lumaStart + y * lumaRow + left * lumaStep;
        let to = 3 * (y * width + left);
        for (const end = to + 3 * columns; to < end; to += 3, from += lumaStep) {
          const bright = gain * (bytes[from] - black);
          rgb[to] = CUT[((bright + red) >> 16) + CUT_START];
          rgb[to + 1] = CUT[((bright + green) >> 16) + CUT_START];
          rgb[to + 2] = CUT[((bright + blue) >> 16) + CUT_START];
        }
      }
    }
  }
  return { width, height, rgb };
}

const HALF = 2 ** 15;

/** Bytes by numbers from -384 to 639: no bytes of a picture give others. Takes half the time of comparisons. */
const CUT_START = 384;
const CUT = Uint8Array.from({ length: 1024 }, (_, index) => Math.min(255, Math.max(0, index - CUT_START)));

/** Factors of BT.601 (red 0.299, blue 0.114 of the brightness) times 2^16, for bytes that span the range. */
const FACTORS = { limited: factors(16, 255 / 219, 255 / 224), full: factors(0, 1, 1) } as const;

function factors(black: number, luma: number, chroma: number) {
  const [red, blue] = [0.299, 0.114];
  const green = 1 - red - blue;
  const fixed = (value: number) => Math.round(value * 2 ** 16);
  return {
    black,
    gain: fixed(luma),
    redV: fixed(2 * (1 - red) * chroma),
    greenU: fixed((2 * (1 - blue) * blue * chroma) / green),
    greenV: fixed((2 * (1 - red) * red * chroma) / green),
    blueU: fixed(2 * (1 - blue) * chroma),
  };
}
