import { HoneError } from '../core/error';
import type { PictureSize } from '../core/picture-fit';
import { Rng } from '../core/rng';
import type { Batch, BatchOptions, Dataset, SampleType } from '../ir/dataset';
import { byteLength } from '../ir/element-type';
import { elementCount, type Tensor } from '../ir/tensor';
import { checkConversion, convertTensor, isLossless } from './convert';

/** What a dataset is made of. */
export interface SampleSource {
  readonly name: string;
  readonly count: number;
  readonly inputs: Dataset['inputs'];
  /** Class index of every sample; undefined without labels. */
  readonly labels: Int32Array | undefined;
  /** Inputs that `read` gives as batches have them already. */
  readonly placed?: ReadonlySet<string>;
  /** The samples at these indices, per input, with a leading sample axis, whichever axis batches have them on. */
  read(indices: Uint32Array): Promise<ReadonlyMap<string, Tensor>>;
  /** Extents of the picture behind a sample that was read; left out where samples are no pictures. */
  pictureOf?(index: number): PictureSize;
}

/** Dataset over a source. Order depends on nothing but the seed; samples are read batch by batch. */
export function createDataset(source: SampleSource): Dataset {
  return datasetOf(
    source,
    Uint32Array.from({ length: source.count }, (_, index) => index),
  );
}

function datasetOf(source: SampleSource, chosen: Uint32Array): Dataset {
  return {
    name: source.name,
    count: chosen.length,
    hasLabels: source.labels !== undefined,
    ...(source.labels && { labelRange: rangeOf(source.labels, chosen) }),
    inputs: source.inputs,
    batches: (options) => readBatches(source, chosen, options),
    select: (indices) =>
      datasetOf(
        source,
        Uint32Array.from(indices, (index) => at(chosen, index)),
      ),
  };
}

function rangeOf(labels: Int32Array, chosen: Uint32Array): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const index of chosen) {
    low = Math.min(low, labels[index]);
    high = Math.max(high, labels[index]);
  }
  return [low, high];
}

function at(chosen: Uint32Array, index: number): number {
  if (!(index >= 0 && index < chosen.length && Number.isInteger(index)))
    throw new HoneError('E_INTERNAL', { message: `sample ${index} is not among the ${chosen.length} samples` });
  return chosen[index];
}

async function* readBatches(source: SampleSource, chosen: Uint32Array, options: BatchOptions): AsyncGenerator<Batch> {
  const { seed, skip = 0 } = options;
  if (!Number.isInteger(options.size) || options.size < 1)
    throw new HoneError('E_INTERNAL', { message: `a batch of ${options.size} samples` });
  const size = [...source.inputs.values()].some(({ axis }) => axis === 'none') ? 1 : options.size;
  const { labels } = source;
  const order = seed === undefined ? chosen : new Rng(seed).permutation(chosen.length).map((index) => chosen[index]);
  for (let start = skip * size; start < order.length; start += size) {
    const indices = order.subarray(start, start + size);
    const inputs = new Map<string, Tensor>();
    for (const [name, tensor] of await source.read(indices))
      inputs.set(name, source.placed?.has(name) ? tensor : placeSamples(tensor, source.inputs.get(name)));
    yield {
      count: indices.length,
      inputs,
      labels: labels && Int32Array.from(indices, (index) => labels[index]),
      ...(source.pictureOf && { pictures: Array.from(indices, (index) => source.pictureOf!(index)) }),
    };
  }
}

/** Samples `[count, ...]` on the axis where the input has them. */
export function placeSamples(tensor: Tensor, sample: SampleType | undefined): Tensor {
  if (sample === undefined) return tensor;
  const { dims: inner, axis = 0 } = sample;
  const count = tensor.dims[0];
  if (axis === 0) return { ...tensor, dims: [count, ...inner] };
  if (axis === 'none') return { ...tensor, dims: inner };
  const dims = inner.toSpliced(axis, 0, count);
  if (count === 1) return { ...tensor, dims };
  const outer = elementCount(inner.slice(0, axis));
  const size = byteLength(tensor.type, elementCount(inner.slice(axis)));
  const bytes = new Uint8Array(tensor.bytes.length);
  for (let sampleIndex = 0; sampleIndex < count; sampleIndex++)
    for (let row = 0; row < outer; row++) {
      const from = (sampleIndex * outer + row) * size;
      bytes.set(tensor.bytes.subarray(from, from + size), (row * count + sampleIndex) * size);
    }
  return { ...tensor, dims, bytes };
}

/**
 * Dataset over arrays in memory, one per input, with the same leading sample axis. `samples` says in which type and on which
 * axis an input takes them; arrays of another type are converted, batch by batch where that can change no number.
 * Arrays must hold whole bytes per sample (no int4, no strings).
 * @throws E_DATA_MISMATCH when an array cannot become its type in `samples`
 */
export function datasetFromTensors(
  name: string,
  arrays: ReadonlyMap<string, Tensor>,
  labels?: Int32Array,
  samples: Dataset['inputs'] = new Map(),
): Dataset {
  const [first] = arrays.values();
  const inputs = new Map<string, SampleType>();
  const held = new Map<string, Tensor>();
  for (const [key, tensor] of arrays) {
    const sample = samples.get(key) ?? { type: tensor.type, dims: tensor.dims.slice(1) };
    checkConversion(tensor.type, sample.type, key);
    inputs.set(key, sample);
    // Whoever gives numbers that do not fit learns it before work begins.
    held.set(key, isLossless(tensor.type, sample.type) ? tensor : convertTensor(tensor, sample.type, key));
  }
  const rows = (key: string, tensor: Tensor, indices: Uint32Array) =>
    convertTensor(gatherRows(tensor, indices), inputs.get(key)!.type, key);
  return createDataset({
    name,
    count: first?.dims[0] ?? 0,
    inputs,
    labels,
    read: async (indices) => new Map([...held].map(([key, tensor]) => [key, rows(key, tensor, indices)])),
  });
}

/** Rows of a tensor along its first axis; consecutive rows are a view. */
export function gatherRows(tensor: Tensor, indices: Uint32Array): Tensor {
  const inner = tensor.dims.slice(1);
  const size = byteLength(tensor.type, elementCount(inner));
  const dims = [indices.length, ...inner];
  const start = indices[0] ?? 0;
  if (indices.every((index, k) => index === start + k))
    return { type: tensor.type, dims, bytes: tensor.bytes.subarray(start * size, (start + indices.length) * size) };
  const bytes = new Uint8Array(indices.length * size);
  indices.forEach((index, k) => {
    bytes.set(tensor.bytes.subarray(index * size, (index + 1) * size), k * size);
  });
  return { type: tensor.type, dims, bytes };
}
