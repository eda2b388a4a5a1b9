import { HoneError } from '../core/error';
import type { PictureSize } from '../core/picture-fit';
import {
  channelCount,
  type Picture,
  type PreprocessSpec,
  pictureLayout,
  preprocess,
  sampleShape,
} from '../core/preprocess';
import type { SampleType } from '../ir/dataset';
import type { Dim } from '../ir/graph';
import { elementCount, type Tensor, tensorOf } from '../ir/tensor';
import { mismatch } from './convert';
import { type ExpectedInput, type ExpectedInputs, fitPreprocessed } from './fit-input';

/** Parts of a preprocessing that a model's file lets guess. */
export type SuggestedSpec = Partial<Pick<PreprocessSpec, 'size' | 'channels' | 'scale'>>;

/** What is known of the input that pictures are for. */
export interface PictureOptions {
  readonly inputs?: ExpectedInputs;
  readonly preprocess?: PreprocessSpec;
  readonly suggested?: SuggestedSpec;
}

/** The input of a model that pictures become. */
export interface PictureInput {
  readonly name: string;
  readonly sample: SampleType;
  readonly spec: PreprocessSpec;
}

/**
 * The one input of a model, and how pictures become it; `path` is where they come from, for messages, `first` tells the size of
 * one of them where nothing else does.
 * @throws E_DATA_MISMATCH for a model that takes no pictures; E_PREPROCESS for an input that takes no plain bytes, when no
 * preprocessing is given
 */
export async function openPictureInput(
  path: string,
  { inputs, preprocess: given, suggested }: PictureOptions,
  first: () => PictureSize | Promise<PictureSize>,
): Promise<PictureInput> {
  const input = onlyInput(inputs);
  const { name, type } = input;
  const spec = given ?? (await rawSpec(path, input, first, suggested));
  return { name, sample: { type: elementsOf(input, spec), ...fitPreprocessed(name, type, sampleShape(spec)) }, spec };
}

/** A tensor `[count, ...]` for pictures, and what puts one into a row of it. */
export function pictureTensor(
  { sample, spec }: PictureInput,
  count: number,
): { readonly tensor: Tensor; readonly put: (picture: Picture, row: number) => void } {
  const dims = sampleShape(spec);
  const size = elementCount(dims);
  const shape = [count, ...dims];
  const data = new (sample.type === 'uint8' ? Uint8Array : Float32Array)(count * size);
  return {
    tensor: data instanceof Uint8Array ? tensorOf('uint8', shape, data) : tensorOf('float32', shape, data),
    put: (picture, row) => data.set(preprocess(picture, spec), row * size),
  };
}

interface NamedInput {
  readonly name: string;
  readonly type: ExpectedInput | undefined;
}

function onlyInput(expected: ExpectedInputs | undefined): NamedInput {
  if (expected === undefined) return { name: 'input', type: undefined };
  if (expected.size !== 1) throw mismatch(`arrays for the inputs ${[...expected.keys()].join(', ')}`, 'pictures');
  const [[name, type]] = expected;
  return { name, type };
}

function elementsOf({ name, type: wanted }: NamedInput, spec: PreprocessSpec): 'float32' | 'uint8' {
  const type = wanted?.type ?? 'float32';
  const plain = spec.scale === 1 && spec.mean.every((mean) => mean === 0) && spec.std.every((std) => std === 1);
  if (type === 'float32' || (type === 'uint8' && plain)) return type;
  if (type === 'uint8') throw mismatch('scale 1, mean 0 and std 1 for a uint8 input', 'another preprocessing');
  throw mismatch(`elements of type ${type} for '${name}'`, 'pictures');
}

/**
 * Plain bytes in the size, layout and channels of the model input, or in the size of the first picture.
 * @throws E_PREPROCESS for an input that may want other numbers
 */
async function rawSpec(
  path: string,
  input: NamedInput,
  first: () => PictureSize | Promise<PictureSize>,
  suggested: SuggestedSpec = {},
): Promise<PreprocessSpec> {
  const shape = input.type?.shape;
  if (shape !== undefined && shape.length !== 4)
    throw mismatch(`'${input.name}' of [${shape.join(',')}]`, 'pictures, which have four axes');
  const layout = pictureLayout(shape ?? []);
  const axes = layout === 'NCHW' ? [2, 3] : [1, 2];
  const channels = shape?.[layout === 'NCHW' ? 1 : 3] === 1 ? 'gray' : 'RGB';
  const extents = axes.map((axis) => shape?.[axis]);
  if (input.type !== undefined && input.type.type !== 'uint8') {
    const size = extents.map((dim, index) => (typeof dim === 'number' ? dim : (suggested.size?.[index] ?? 224)));
    const advice = { size, layout, channels, scale: 1 / 255, mean: 0, std: 1, ...suggested };
    throw new HoneError('E_PREPROCESS', {
      path,
      name: input.name,
      type: input.type.type,
      shape: shape?.join(',') ?? '?',
      suggestion: JSON.stringify({ ...advice, size }),
    });
  }
  const [rows, columns] = extents.every((dim) => typeof dim === 'number') ? extents : await openExtents(extents, first);
  const plain = Array.from({ length: channelCount({ channels }) }, () => 0);
  return {
    size: [rows, columns],
    resize: 'stretch',
    layout,
    channels,
    scale: 1,
    mean: plain,
    std: plain.map(() => 1),
  };
}

/** Height and width, those of the first picture where the model leaves them open. */
async function openExtents(
  extents: readonly (Dim | undefined)[],
  first: () => PictureSize | Promise<PictureSize>,
): Promise<readonly number[]> {
  const { height, width } = await first();
  return extents.map((dim, index) => (typeof dim === 'number' ? dim : [height, width][index]));
}
