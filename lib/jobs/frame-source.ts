import { HoneError } from '../core/error';
import { notedPreprocess } from '../core/notes';
import type { PictureSize } from '../core/picture-fit';
import type { Picture, PreprocessSpec } from '../core/preprocess';
import { placeSamples } from '../data/create-dataset';
import type { ExpectedInputs } from '../data/fit-input';
import type { StreamKind } from '../data/foreign-stream';
import { type FrameSplitter, WindowSplitter } from '../data/frame-splitter';
import { decodeImage } from '../data/image';
import { JpegSplitter } from '../data/jpeg-splitter';
import { openPictureInput, type PictureInput, pictureTensor } from '../data/picture-input';
import { type ColorRange, RAW_FORMATS, type RawFormatName, rawPictureBytes, readRawPicture } from '../data/raw-picture';
import type { Dataset } from '../ir/dataset';
import type { States } from '../ir/states';
import type { Tensor } from '../ir/tensor';
import { type Artifact, metadataOf } from './artifact';
import { suggestedSpec } from './preprocess-note';
import { bindArtifact, portsOf } from './samples';
import { openSoundInput, type SoundOptions } from './sound-input';
import { notedSound } from './sound-note';

/** What may come in: pictures that are not compressed, JPEG pictures one after the other, or samples of 16 bits. */
export const STREAM_FORMATS = [...(Object.keys(RAW_FORMATS) as RawFormatName[]), 'mjpeg', 's16le'] as const;
export type StreamFormat = (typeof STREAM_FORMATS)[number];

/** What comes in, and what of it the model gets. */
export interface FrameOptions extends SoundOptions {
  readonly format: StreamFormat;
  /** Extents of the pictures; may be left out for those that tell it themselves. */
  readonly size?: PictureSize;
  /** `limited` when left out. */
  readonly range?: ColorRange;
  readonly preprocess?: PreprocessSpec;
}

/** A frame in a form that the model's preprocessing takes. */
interface Converted {
  /** Extents of a picture; undefined for sound. */
  readonly picture?: PictureSize;
  /** What the model gets of it. */
  readonly feeds: () => ReadonlyMap<string, Tensor>;
}

/** How the bytes of a stream become inputs of a model. */
export interface FrameSource {
  readonly kind: StreamKind;
  readonly splitter: FrameSplitter;
  /** Inputs that frames become. */
  readonly inputs: Dataset['inputs'];
  /** How pictures become inputs, where somebody says so. */
  readonly preprocess?: PreprocessSpec | undefined;
  /** Of sound; undefined for pictures. */
  readonly sound?: {
    readonly rate: number;
    readonly rateIsNoted: boolean;
    readonly window: number;
    readonly hop: number;
  };
  /** A whole frame, as text for messages. */
  readonly frameText: string;
  /** @throws E_DATA_FORMAT for a picture that cannot be decoded, E_STREAM for one of another size than was said */
  readonly convert: (bytes: Uint8Array, frame: number) => Converted;
}

/**
 * How frames of a stream become inputs of an artifact, and the artifact with what they tell of these.
 * @throws E_OPTION_VALUE, E_USAGE for options that do not fit the format, what `openPictureInput` and `openSoundInput` throw
 */
export async function openFrameSource<A extends Artifact>(
  artifact: A,
  options: FrameOptions,
): Promise<{ readonly artifact: A; readonly states: States; readonly source: FrameSource }> {
  requireFitting(options);
  const { inputs, states } = portsOf(artifact);
  const fed = new Map([...inputs].filter(([name]) => !states.has(name)));
  const source =
    options.format === 's16le' ? soundSource(artifact, fed, options) : await pictureSource(artifact, fed, options);
  return { artifact: bindArtifact(artifact, source), states, source };
}

/** @throws E_OPTION_VALUE, E_USAGE */
function requireFitting(options: FrameOptions): void {
  const { format, size } = options;
  const isSound = format === 's16le';
  const foreign = isSound ? (['size', 'range'] as const) : (['rate', 'hop'] as const);
  for (const name of foreign) {
    if (options[name] === undefined) continue;
    const expected = isSound ? '--format of pictures beside it' : '--format s16le beside it';
    throw new HoneError('E_OPTION_VALUE', { option: `--${name}`, expected, found: `--format ${format}` });
  }
  if (isSound) return;
  if (options.range !== undefined && (format === 'mjpeg' || RAW_FORMATS[format].planes === undefined)) {
    const planar = STREAM_FORMATS.filter((name) => name in RAW_FORMATS && name !== 'rgb24');
    const expected = `--format ${planar.join(', ')} beside it`;
    throw new HoneError('E_OPTION_VALUE', { option: '--range', expected, found: `--format ${format}` });
  }
  if (format === 'mjpeg') return;
  if (size === undefined) throw new HoneError('E_USAGE', { reason: 'missing option --size', verb: 'stream' });
  const [columns, rows] = RAW_FORMATS[format].block;
  if (size.width % columns === 0 && size.height % rows === 0) return;
  const even = rows === 1 ? 'an even width' : 'an even width and height';
  throw new HoneError('E_OPTION_VALUE', {
    option: '--size',
    expected: `${even} for ${format}`,
    found: `${size.width}x${size.height}`,
  });
}

async function pictureSource(artifact: Artifact, inputs: ExpectedInputs, options: FrameOptions): Promise<FrameSource> {
  const { format, size, range = 'limited' } = options;
  const metadata = metadataOf(artifact);
  const preprocess = options.preprocess ?? notedPreprocess(metadata);
  const known = { inputs, suggested: suggestedSpec(metadata), ...(preprocess && { preprocess }) };
  const input = await openPictureInput('standard input', known, () => {
    if (size !== undefined) return size;
    throw new HoneError('E_USAGE', {
      reason: 'missing option --size, which the model takes pictures in',
      verb: 'stream',
    });
  });
  const shared = { inputs: new Map([[input.name, input.sample]]), preprocess };
  if (format === 'mjpeg') {
    let fits = false;
    return {
      ...shared,
      kind: 'mjpeg',
      splitter: new JpegSplitter(),
      frameText: 'a JPEG picture',
      convert(bytes, frame) {
        const picture = decodeImage(bytes, `frame ${frame}`);
        const isOther = size !== undefined && (picture.width !== size.width || picture.height !== size.height);
        if (isOther) throw otherSize(picture, size, fits);
        fits = true;
        return converted(picture, input);
      },
    };
  }
  const raw = RAW_FORMATS[format as RawFormatName];
  const frameBytes = rawPictureBytes(raw, size!);
  return {
    ...shared,
    kind: 'raw picture',
    splitter: new WindowSplitter(frameBytes),
    frameText: `${size!.width}x${size!.height} of ${format}, ${frameBytes} bytes`,
    convert: (bytes) => converted(readRawPicture(raw, bytes, size!, range), input),
  };
}

/** A picture of another size than was said: a wrong option before any that fits, a damaged picture behind one. */
function otherSize(found: PictureSize, said: PictureSize, isLater: boolean): HoneError {
  const [is, not] = [found, said].map(({ width, height }) => `${width}x${height}`);
  if (isLater) return new HoneError('E_DATA_FORMAT', { path: 'standard input', reason: `it is ${is}, not ${not}` });
  const advice = 'Give the size that comes in, or none: JPEG pictures tell it themselves.';
  return new HoneError('E_STREAM', { reason: `has pictures of ${is}, not ${not}`, advice });
}

function converted(picture: Picture, input: PictureInput): Converted {
  return {
    picture: { width: picture.width, height: picture.height },
    feeds() {
      const { tensor, put } = pictureTensor(input, 1);
      put(picture, 0);
      return new Map([[input.name, placeSamples(tensor, input.sample)]]);
    },
  };
}

function soundSource(artifact: Artifact, fed: ExpectedInputs, options: FrameOptions): FrameSource {
  const { inputs, feeds, ...sound } = openSoundInput(fed, notedSound(metadataOf(artifact)), options);
  return {
    kind: 'sound',
    splitter: new WindowSplitter(2 * sound.window, 2 * sound.hop),
    inputs,
    sound,
    frameText: `${sound.window} samples, ${2 * sound.window} bytes`,
    convert: (bytes) => {
      const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
      return { feeds: () => feeds(samples) };
    },
  };
}
