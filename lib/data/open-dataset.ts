import type { Stats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { HoneError, readError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import type { Dataset } from '../ir/dataset';
import type { Tensor } from '../ir/tensor';
import { openArrays } from './array-dataset';
import type { ExpectedInputs } from './fit-input';
import { isIdx, parseIdx } from './idx';
import { openIdx } from './idx-dataset';
import { isImage } from './image';
import { openImage, openImageFolder } from './image-dataset';
import { isNpy, parseNpy } from './npy';
import { readNpz } from './npz';
import { openNpzShards } from './npz-shards';
import type { SuggestedSpec } from './picture-input';
import { isZip } from './zip';

/** Unpacked .gz files may be this large. */
const MAX_UNPACKED_BYTES = 2 ** 31 - 1;
/** Larger .npz files are not loaded as wholes. */
const LARGE_BYTES = 2 ** 28;

export interface DataOptions {
  /** Inputs of the model that the data is for: checked, converted and named accordingly. */
  readonly inputs?: ExpectedInputs;
  /** How pictures (image folders, idx images) become inputs; where it is left out, bytes stay as they are. */
  readonly preprocess?: PreprocessSpec;
  /** What the model lets guess of that, for the advice when it is missing. */
  readonly suggested?: SuggestedSpec;
}

/**
 * Dataset at a path; the content decides the format.
 * - `.npz`: arrays named like the model inputs with a leading sample axis; `labels` holds class indices, if any
 * - `.npy`: one array for the only input, without labels
 * - idx, idx.gz: images; labels are taken from the file of the usual name beside it, if any
 * - a folder of .npz files: their samples one after the other, read when needed, as those of an .npz file beyond 256 MiB
 * - a PNG or JPEG picture: one sample, without a label
 * - a folder: PNG and JPEG pictures, one folder per class; a model with a float input needs `preprocess` for them
 *
 * A sample has the shape of the model input without its first axis; a model with a fixed batch of 1 is fed with batches
 * of one sample.
 * @throws E_FILE_NOT_FOUND, E_DATA_FORMAT, E_DATA_MISMATCH, E_DATA_EMPTY, E_PREPROCESS
 */
export async function openDataset(path: string, options: DataOptions = {}): Promise<Dataset> {
  const found = await statOf(path);
  if (found.isDirectory()) {
    const shards = (await readdir(path)).filter((name) => name.endsWith('.npz')).sort();
    if (shards.length === 0) return openImageFolder(path, options);
    return openNpzShards(
      path,
      shards.map((name) => join(path, name)),
      options.inputs,
    );
  }
  if (found.size > LARGE_BYTES && path.endsWith('.npz')) return openNpzShards(path, [path], options.inputs);
  const bytes = await load(path);
  if (isZip(bytes)) return openNpz(bytes, path, options);
  if (isNpy(bytes)) {
    const arrays = new Map([[onlyInput(options), parseNpy(bytes, path)]]);
    return openArrays(path, arrays, undefined, options.inputs);
  }
  if (isIdx(bytes)) return openIdx(path, onlyInput(options), parseIdx(bytes, path), await idxLabels(path), options);
  if (isImage(bytes)) return openImage(path, options);
  throw new HoneError('E_DATA_FORMAT', { path, reason: 'the content is of no known format' });
}

async function statOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw readError(path, error);
  }
}

/** Bytes of a file, unpacked when it is gzipped. */
async function load(path: string): Promise<Uint8Array> {
  const raw = await readFile(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  const content = raw[0] === 0x1f && raw[1] === 0x8b ? gunzip(raw, path) : raw;
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

function gunzip(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (error) {
    throw new HoneError('E_DATA_FORMAT', { path, reason: (error as Error).message }, { cause: error });
  }
}

/** Name for an array that carries none. */
function onlyInput(options: DataOptions): string {
  return options.inputs?.size === 1 ? [...options.inputs.keys()][0] : 'input';
}

function openNpz(bytes: Uint8Array, path: string, options: DataOptions): Dataset {
  const arrays = readNpz(bytes, path);
  const labels = arrays.get('labels');
  // A model may have an input of that name.
  const isInput = options.inputs?.has('labels') ?? false;
  if (!isInput) arrays.delete('labels');
  if (arrays.size === 0) throw new HoneError('E_DATA_FORMAT', { path, reason: 'it holds no arrays of inputs' });
  return openArrays(path, arrays, isInput ? undefined : labels, options.inputs);
}

/** Labels of `train-images-idx3-ubyte(.gz)`; undefined without a file of them. */
async function idxLabels(path: string): Promise<Tensor | undefined> {
  const file = await findLabels(path);
  return file === undefined ? undefined : parseIdx(await load(file), file);
}

/** The file `train-labels-idx1-ubyte(.gz)` beside `train-images-idx3-ubyte(.gz)`; undefined when there is none. */
export async function findLabels(path: string): Promise<string | undefined> {
  const name = basename(path);
  const plain = name
    .replace(/images/, 'labels')
    .replace(/idx\d/, 'idx1')
    .replace(/\.gz$/, '');
  if (plain === name.replace(/\.gz$/, '')) return undefined;
  for (const candidate of [`${plain}.gz`, plain]) {
    const file = join(dirname(path), candidate);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile()) return file;
  }
  return undefined;
}
