import { HoneError } from './error';
import { adviceOn } from './nearest';
import { fitOf, type PictureSize, type ResizeSpec } from './picture-fit';

/** Decoded picture: 8-bit red, green, blue per pixel, rows from the top. */
export interface Picture extends PictureSize {
  /** `3 * width * height` bytes. */
  readonly rgb: Uint8Array;
}

/**
 * From a picture to a model input. Plain JSON; it travels with the model.
 * Every element is `(byte * scale - mean[c]) / std[c]`, each step rounded to float32.
 */
export interface PreprocessSpec extends ResizeSpec {
  /** With `letterbox`: the byte that fills what the picture leaves over, 114 when left out. */
  readonly pad?: number;
  readonly layout: 'NCHW' | 'NHWC';
  readonly channels: 'RGB' | 'BGR' | 'gray';
  readonly scale: number;
  /** One number per channel, in the order of `channels`. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const KEYS = ['size', 'resize', 'shorterSide', 'align', 'pad', 'layout', 'channels', 'scale', 'mean', 'std'] as const;

/** Fill of a letterbox where the spec names none, as detectors of the YOLO family are trained. */
const PAD = 114;

/** Channels of the model input: 1 or 3. */
export function channelCount(spec: Pick<PreprocessSpec, 'channels'>): number {
  return spec.channels === 'gray' ? 1 : 3;
}

/** Shape of one sample, without the batch axis: `[C, H, W]` or `[H, W, C]`. */
export function sampleShape(spec: PreprocessSpec): readonly [number, number, number] {
  const [height, width] = spec.size;
  const channels = channelCount(spec);
  return spec.layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
}

/** Layout of an input for pictures, told by the axis that has 1 or 3 channels; NCHW where both or neither have. */
export function pictureLayout(shape: readonly (number | string)[]): PreprocessSpec['layout'] {
  const isChannels = (axis: number) => shape[axis] === 1 || shape[axis] === 3;
  return !isChannels(1) && isChannels(3) ? 'NHWC' : 'NCHW';
}

/**
 * The checked spec of a JSON value; what is left out becomes: stretch, NCHW, RGB, scale 1, mean 0, std 1.
 * @throws E_OPTION_UNKNOWN for misspelled keys, E_OPTION_VALUE for bad values
 */
export function parsePreprocess(json: unknown): PreprocessSpec {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw bad('preprocess', 'an object', JSON.stringify(json));
  const given = json as Record<string, unknown>;
  for (const key of Object.keys(given))
    if (!(KEYS as readonly string[]).includes(key))
      throw new HoneError('E_OPTION_UNKNOWN', {
        option: `preprocess.${key}`,
        ...adviceOn(key, KEYS, (name) => `preprocess.${name}`),
        verb: 'compress',
      });
  const pick = <const T extends string>(key: keyof PreprocessSpec, words: readonly T[]): T => {
    const value = given[key] ?? words[0];
    if (!words.includes(value as T)) throw bad(`preprocess.${key}`, words.join(' or '), String(value));
    return value as T;
  };
  const size = given.size;
  if (!Array.isArray(size) || size.length !== 2 || !size.every(isExtent))
    throw bad('preprocess.size', '[height, width] in pixels', JSON.stringify(size));
  const channels = pick('channels', ['RGB', 'BGR', 'gray']);
  const count = channelCount({ channels });
  const { shorterSide } = given;
  if (shorterSide !== undefined && !(isExtent(shorterSide) && shorterSide >= Math.max(size[0], size[1])))
    throw bad('preprocess.shorterSide', 'pixels, at least as many as both sides of size', JSON.stringify(shorterSide));
  const resize = pick('resize', ['stretch', 'crop', 'letterbox']);
  for (const key of ['align', 'pad'] as const)
    if (given[key] !== undefined && resize !== 'letterbox')
      throw bad(`preprocess.${key}`, `resize 'letterbox' beside it`, resize);
  const { pad } = given;
  if (pad !== undefined && !(Number.isInteger(pad) && (pad as number) >= 0 && (pad as number) <= 255))
    throw bad('preprocess.pad', 'a byte, 0 to 255', JSON.stringify(pad));
  const { scale = 1 } = given;
  if (!isNonZero(scale)) throw bad('preprocess.scale', 'a finite number other than 0', JSON.stringify(scale));
  return {
    size: [size[0], size[1]],
    resize,
    ...(shorterSide === undefined ? {} : { shorterSide: shorterSide as number }),
    ...(given.align === undefined ? {} : { align: pick('align', ['center', 'start']) }),
    ...(pad === undefined ? {} : { pad: pad as number }),
    layout: pick('layout', ['NCHW', 'NHWC']),
    channels,
    scale,
    mean: perChannel('mean', given.mean ?? 0, count, (value) => Number.isFinite(value)),
    std: perChannel('std', given.std ?? 1, count, isNonZero),
  };
}

function perChannel(
  key: string,
  value: unknown,
  count: number,
  isGood: (value: unknown) => boolean,
): readonly number[] {
  const list = Array.isArray(value) ? value : Array.from({ length: count }, () => value);
  if (list.length !== count || !list.every(isGood))
    throw bad(`preprocess.${key}`, `${count} number(s)${key === 'std' ? ' other than 0' : ''}`, JSON.stringify(value));
  return list;
}

const isExtent = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1;
const isNonZero = (value: unknown): value is number => Number.isFinite(value) && value !== 0;

function bad(option: string, expected: string, found: string): HoneError {
  return new HoneError('E_OPTION_VALUE', { option, expected, found });
}

/** Model input of one picture: elements in the spec's layout, shape `sampleShape(spec)`. */
export function preprocess(picture: Picture, spec: PreprocessSpec): Float32Array {
  return normalize(fitPicture(picture, spec), spec);
}

/** The picture in the spec's size: resized (bilinear, antialiased), and cropped or padded; still 8-bit RGB. */
export function fitPicture(picture: Picture, spec: PreprocessSpec): Picture {
  const [height, width] = spec.size;
  const { scaled: extent, left, top } = fitOf(picture, spec);
  const scaled = resizePicture(picture, extent.height, extent.width);
  if (spec.resize === 'stretch') return scaled;
  const rgb = new Uint8Array(3 * height * width).fill(spec.pad ?? PAD);
  const taken = Math.min(width, extent.width);
  const [from, to] = [Math.max(0, -left), Math.max(0, left)];
  for (let row = Math.max(0, top); row < Math.min(height, top + extent.height); row++) {
    const start = 3 * ((row - top) * extent.width + from);
    rgb.set(scaled.rgb.subarray(start, start + 3 * taken), 3 * (row * width + to));
  }
  return { width, height, rgb };
}

/**
 * The picture in another size: separable triangle filter with pixel centres at one half, widened when shrinking so that
 * every source pixel counts (what imaging libraries call antialiased bilinear).
 */
export function resizePicture(picture: Picture, height: number, width: number): Picture {
  if (picture.height === height && picture.width === width) return picture;
  const narrow = resizeAcross(picture, width);
  const { starts, ends, weights, most } = filterTaps(picture.height, height);
  const row = 3 * width;
  const rgb = new Uint8Array(row * height);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < row; x++, to++) {
      // Weights are not negative and add up to 1: no sum leaves the bytes, and what is cut off rounds to the nearest.
      let sum = 0;
      let from = starts[y] * row + x;
      for (let k = y * most; k < ends[y]; k++, from += row) sum += weights[k] * narrow[from];
      rgb[to] = sum + 0.5;
    }
  return { width, height, rgb };
}

/** The rows of a picture in another width, in float32. */
function resizeAcross({ width: before, height, rgb }: Picture, width: number): Float32Array {
  const { starts, ends, weights, most } = filterTaps(before, width);
  const narrow = new Float32Array(3 * height * width);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let from = 3 * (y * before + starts[x]);
      for (let k = x * most; k < ends[x]; k++, from += 3) {
        const weight = weights[k];
        red += weight * rgb[from];
        green += weight * rgb[from + 1];
        blue += weight * rgb[from + 2];
      }
      narrow[to] = red;
      narrow[to + 1] = green;
      narrow[to + 2] = blue;
    }
  return narrow;
}

/** For each place of a result: where its sources begin, and its weights, from `most` times the place up to `ends`. */
interface Taps {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly weights: Float64Array;
  readonly most: number;
}

function filterTaps(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(1, scale);
  const most = Math.ceil(2 * support) + 1;
  const [starts, ends, all] = [new Int32Array(to), new Int32Array(to), new Float64Array(to * most)];
  for (let index = 0; index < to; index++) {
    const centre = (index + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - support));
    const end = Math.min(from, Math.ceil(centre + support));
    const weights: number[] = [];
    for (let k = start; k < end; k++) weights.push(Math.max(0, 1 - Math.abs(k + 0.5 - centre) / support));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    starts[index] = start;
    ends[index] = index * most + weights.length;
    all.set(
      weights.map((weight) => weight / sum),
      index * most,
    );
  }
  return { starts, ends, weights: all, most };
}

/** Channel order, scale, mean and std on a picture that has the spec's size already. */
export function normalize(picture: Picture, spec: PreprocessSpec): Float32Array {
  const count = channelCount(spec);
  const pixels = picture.width * picture.height;
  const result = new Float32Array(count * pixels);
  const isPlanar = spec.layout === 'NCHW';
  for (let channel = 0; channel < count; channel++) {
    const values = valuesOfBytes(spec, channel);
    const bytes = count === 1 ? lumaOf(picture) : picture.rgb;
    const step = count === 1 ? 1 : 3;
    let from = spec.channels === 'BGR' ? 2 - channel : channel;
    let to = isPlanar ? channel * pixels : channel;
    for (let pixel = 0; pixel < pixels; pixel++, from += step, to += isPlanar ? 1 : count)
      result[to] = values[bytes[from]];
  }
  return result;
}

/** What every byte of a channel becomes. */
function valuesOfBytes(spec: PreprocessSpec, channel: number): Float32Array {
  const { fround } = Math;
  const [scale, mean, std] = [spec.scale, spec.mean[channel], spec.std[channel]].map(fround);
  return Float32Array.from({ length: 256 }, (_, byte) => fround(fround(byte * scale) - mean) / std);
}

/** Brightness of every pixel (ITU-R BT.601), rounded in 16-bit fixed point. */
function lumaOf({ width, height, rgb }: Picture): Uint8Array {
  const luma = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < luma.length; at++, from += 3)
    luma[at] = (rgb[from] * 19595 + rgb[from + 1] * 38470 + rgb[from + 2] * 7471 + 32768) >> 16;
  return luma;
}
