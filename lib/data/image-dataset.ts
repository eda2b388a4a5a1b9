import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { HoneError, readError } from '../core/error';
import type { PictureSize } from '../core/picture-fit';
import { channelCount, type Picture, type PreprocessSpec, preprocess, sampleShape } from '../core/preprocess';
import type { Dataset } from '../ir/dataset';
import { elementCount, type Tensor, tensorOf } from '../ir/tensor';
import { mismatch } from './convert';
import { createDataset } from './create-dataset';
import { type ExpectedInput, type ExpectedInputs, fitPreprocessed } from './fit-input';
import { decodeImage, IMAGE_ENDINGS } from './image';

interface ImageFile {
  readonly path: string;
  /** Class index; -1 in a folder without classes. */
  readonly label: number;
}

/** Parts of a preprocessing that a model's file lets guess. */
export type SuggestedSpec = Partial<Pick<PreprocessSpec, 'size' | 'channels' | 'scale'>>;

interface ImageOptions {
  readonly inputs?: ExpectedInputs;
  readonly preprocess?: PreprocessSpec;
  readonly suggested?: SuggestedSpec;
}

/**
 * Pictures of a folder: one folder per class (labels count the class folders in alphabetical order, or are the folders'
 * names where all of them are numbers), or pictures without classes. Decoded batch by batch.
 * @throws E_DATA_EMPTY, E_DATA_MISMATCH, E_DATA_FORMAT (also while reading batches); E_PREPROCESS for an input that takes no
 * plain bytes, when no preprocessing is given
 */
export async function openImageFolder(path: string, options: ImageOptions): Promise<Dataset> {
  const files = await listImages(path);
  if (files.length === 0) throw new HoneError('E_DATA_EMPTY', { path });
  return openImages(path, files, options);
}

/** One picture, without a class, as a dataset. @throws as `openImageFolder` does */
export function openImage(path: string, options: ImageOptions): Promise<Dataset> {
  return openImages(path, [{ path, label: -1 }], options);
}

async function openImages(path: string, files: readonly ImageFile[], options: ImageOptions): Promise<Dataset> {
  const input = imageInput(options.inputs);
  const used = options.preprocess ?? (await rawSpec(path, files[0], input, options.suggested));
  const dims = sampleShape(used);
  const type = imageType(input, used);
  const pictures: PictureSize[] = [];
  return createDataset({
    name: path,
    count: files.length,
    inputs: new Map([[input.name, { type, ...fitPreprocessed(input.name, input.type, dims) }]]),
    labels: files[0].label < 0 ? undefined : Int32Array.from(files, (file) => file.label),
    read: async (indices) => {
      const data = new (type === 'uint8' ? Uint8Array : Float32Array)(indices.length * elementCount(dims));
      for (const [row, index] of indices.entries()) {
        const picture = await loadImage(files[index].path);
        pictures[index] = { width: picture.width, height: picture.height };
        data.set(preprocess(picture, used), row * elementCount(dims));
      }
      const shape = [indices.length, ...dims];
      const tensor: Tensor =
        data instanceof Uint8Array ? tensorOf('uint8', shape, data) : tensorOf('float32', shape, data);
      return new Map([[input.name, tensor]]);
    },
    pictureOf: (index) => pictures[index],
  });
}

async function loadImage(path: string): Promise<Picture> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  return decodeImage(bytes, path);
}

async function listImages(folder: string): Promise<ImageFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const classes = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const loose = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  if (classes.length === 0) return imagesAmong(loose).map((name) => ({ path: join(folder, name), label: -1 }));
  const numbered = classes.every((name) => /^\d{1,9}$/.test(name));
  const sorted = numbered ? classes.sort((a, b) => Number(a) - Number(b)) : classes.sort();
  const lists = await Promise.all(
    sorted.map(async (name, index) => {
      const images = imagesAmong(await readdir(join(folder, name)));
      const label = numbered ? Number(name) : index;
      return images.map((image) => ({ path: join(folder, name, image), label }));
    }),
  );
  return lists.flat();
}

/** Picture files among the names, sorted by code unit: the same order on every machine. */
function imagesAmong(names: readonly string[]): string[] {
  return names.filter((name) => (IMAGE_ENDINGS as readonly string[]).includes(extname(name).toLowerCase())).sort();
}

interface ImageInput {
  readonly name: string;
  readonly type: ExpectedInput | undefined;
}

function imageInput(expected: ExpectedInputs | undefined): ImageInput {
  if (expected === undefined) return { name: 'input', type: undefined };
  if (expected.size !== 1) throw mismatch(`arrays for the inputs ${[...expected.keys()].join(', ')}`, 'pictures');
  const [[name, type]] = expected;
  return { name, type };
}

function imageType(input: ImageInput, spec: PreprocessSpec): 'float32' | 'uint8' {
  const type = input.type?.type ?? 'float32';
  const plain = spec.scale === 1 && spec.mean.every((mean) => mean === 0) && spec.std.every((std) => std === 1);
  if (type === 'float32' || (type === 'uint8' && plain)) return type;
  if (type === 'uint8') throw mismatch('scale 1, mean 0 and std 1 for a uint8 input', 'another preprocessing');
  throw mismatch(`elements of type ${type} for '${input.name}'`, 'pictures');
}

/**
 * Plain bytes in the size, layout and channels of the model input, or in the size of the first picture.
 * @throws E_PREPROCESS for an input that may want other numbers
 */
async function rawSpec(
  path: string,
  first: ImageFile,
  input: ImageInput,
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
  const { height, width } = await loadImage(first.path);
  const [rows, columns] = extents.map((dim, index) => (typeof dim === 'number' ? dim : [height, width][index]));
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

/** Layout of an input for pictures, told by the axis that has 1 or 3 channels; NCHW where both or neither have. */
export function pictureLayout(shape: readonly (number | string)[]): PreprocessSpec['layout'] {
  const isChannels = (axis: number) => shape[axis] === 1 || shape[axis] === 3;
  return !isChannels(1) && isChannels(3) ? 'NHWC' : 'NCHW';
}
