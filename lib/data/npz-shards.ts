import { open } from 'node:fs/promises';
import { HoneError, readError } from '../core/error';
import type { Dataset } from '../ir/dataset';
import { byteLength, type ElementType } from '../ir/element-type';
import { elementCount, type Tensor } from '../ir/tensor';
import { checkConversion, convertTensor, mismatch } from './convert';
import { createDataset, gatherRows } from './create-dataset';
import { type ExpectedInputs, type Fitted, fitArrays, labelsFrom, sampleCount } from './fit-input';
import { NPY_HEADER_BYTES, parseNpy, parseNpyHeader, swapBytes } from './npy';
import { listZip, locateEntry, type ReadRange, type ZipEntry } from './zip';

/** Opens a file for reads of parts of it, for as long as `use` takes; a seam for tests that count bytes. */
export type UseFile = <T>(path: string, use: (read: ReadRange, size: number) => Promise<T>) => Promise<T>;

/** Arrays that are compressed must be unpacked as wholes and held; all shards together may take this much. */
const HELD_BYTES = 2 ** 30;

/** An array whose rows along the first axis are read when asked for. */
interface RowArray {
  readonly type: ElementType;
  readonly dims: readonly number[];
  rows(read: ReadRange, indices: Uint32Array): Promise<Tensor>;
}

/** One file with samples. */
interface Shard {
  readonly path: string;
  readonly count: number;
  readonly arrays: ReadonlyMap<string, Fitted<RowArray>>;
  readonly labels: Int32Array | undefined;
}

/**
 * The samples of several .npz files, one file after the other, as one dataset that may be larger than memory. Arrays stored
 * uncompressed (`np.savez`) are read row by row when a batch asks for them; their checksums are not looked at. Compressed ones
 * are unpacked once and held, up to 1 GiB in all.
 * @throws E_FILE_NOT_FOUND, E_DATA_FORMAT, E_DATA_MISMATCH (also between the files), E_DATA_EMPTY; while batches are read:
 * E_DATA_FORMAT when a file has become shorter
 */
export async function openNpzShards(
  name: string,
  paths: readonly string[],
  expected: ExpectedInputs | undefined,
  useFile: UseFile = useFileRanges,
): Promise<Dataset> {
  const shards: Shard[] = [];
  let held = 0;
  for (const path of paths) {
    const { shard, heldBytes } = await useFile(path, (read, size) => openShard(path, read, size, expected, held));
    held += heldBytes;
    if (shard.count > 0) shards.push(shard);
  }
  const [first] = shards;
  if (!first) throw new HoneError('E_DATA_EMPTY', { path: name });
  for (const shard of shards) requireAlike(first, shard);
  const types = new Map([...first.arrays].map(([key, { array }]) => [key, expected?.get(key)?.type ?? array.type]));
  for (const [key, { array }] of first.arrays) checkConversion(array.type, types.get(key)!, key);
  return createDataset({
    name,
    count: shards.reduce((sum, { count }) => sum + count, 0),
    inputs: new Map(
      [...first.arrays].map(([key, { dims, axis }]) => {
        const type = types.get(key)!;
        return [key, axis === 0 ? { type, dims } : { type, dims, axis }];
      }),
    ),
    labels: first.labels && joinLabels(shards),
    read: async (indices) => {
      const rows = await readRows(shards, indices, useFile);
      return new Map([...rows].map(([key, tensor]) => [key, convertTensor(tensor, types.get(key)!, key)]));
    },
  });
}

function joinLabels(shards: readonly Shard[]): Int32Array {
  const joined = new Int32Array(shards.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { labels, count } of shards) {
    joined.set(labels!, at);
    at += count;
  }
  return joined;
}

async function openShard(
  path: string,
  read: ReadRange,
  size: number,
  expected: ExpectedInputs | undefined,
  heldBefore: number,
): Promise<{ shard: Shard; heldBytes: number }> {
  let heldBytes = 0;
  const arrays = new Map<string, RowArray>();
  for (const entry of await listZip(size, read, path)) {
    if (!entry.name.endsWith('.npy')) continue;
    if (entry.method !== 0) heldBytes += entry.size;
    if (heldBefore + heldBytes > HELD_BYTES)
      throw new HoneError('E_DATA_FORMAT', {
        path,
        reason: `compressed arrays take more than ${HELD_BYTES} bytes when unpacked; store them uncompressed (np.savez)`,
      });
    arrays.set(entry.name.slice(0, -4), await openArray(entry, read, `${path}, array ${entry.name}`));
  }
  const labelArray = expected?.has('labels') ? undefined : arrays.get('labels');
  if (labelArray) arrays.delete('labels');
  if (arrays.size === 0) throw new HoneError('E_DATA_FORMAT', { path, reason: 'it holds no arrays of inputs' });
  const fitted = fitArrays(arrays, expected);
  const everything = Uint32Array.from({ length: labelArray?.dims[0] ?? 0 }, (_, index) => index);
  const labels = labelArray && labelsFrom(await labelArray.rows(read, everything));
  return { shard: { path, count: sampleCount(fitted, labels), arrays: fitted, labels }, heldBytes };
}

async function openArray(entry: ZipEntry, read: ReadRange, path: string): Promise<RowArray> {
  const { start, unpacked } = await locateEntry(entry, read, path);
  if (unpacked) {
    const tensor = parseNpy(unpacked, path);
    if (tensor.dims.length === 0) throw mismatch(`a leading sample axis in ${path}`, 'a single number');
    return { type: tensor.type, dims: tensor.dims, rows: async (_, indices) => gatherRows(tensor, indices) };
  }
  const head = await read(start, Math.min(entry.size, NPY_HEADER_BYTES));
  const { type, dims, fortran, swapped, start: first } = parseNpyHeader(head, entry.size, path);
  if (dims.length === 0) throw mismatch(`a leading sample axis in ${path}`, 'a single number');
  if (fortran && dims.length > 1)
    throw new HoneError('E_DATA_FORMAT', {
      path,
      reason: 'its rows are scattered (Fortran order); save it in C order',
    });
  const rowBytes = byteLength(type, elementCount(dims.slice(1)));
  return {
    type,
    dims,
    async rows(readRange, indices) {
      const bytes = new Uint8Array(indices.length * rowBytes);
      const reads: Promise<void>[] = [];
      for (let from = 0, to = 0; from < indices.length; from = to) {
        for (to = from + 1; to < indices.length && indices[to] === indices[to - 1] + 1; ) to++;
        const place = from * rowBytes;
        const range = readRange(start + first + indices[from] * rowBytes, (to - from) * rowBytes);
        reads.push(range.then((rows) => bytes.set(rows, place)));
      }
      await Promise.all(reads);
      if (swapped) swapBytes(bytes, type);
      return { type, dims: [indices.length, ...dims.slice(1)], bytes };
    },
  };
}

/** Rows by their number over all shards, in the order asked for. */
async function readRows(
  shards: readonly Shard[],
  indices: Uint32Array,
  useFile: UseFile,
): Promise<Map<string, Tensor>> {
  const results = new Map<string, Tensor>();
  let begin = 0;
  for (const { path, count, arrays } of shards) {
    const places = [...indices.keys()].filter((k) => indices[k] >= begin && indices[k] < begin + count);
    const own = Uint32Array.from(places, (k) => indices[k] - begin);
    begin += count;
    if (places.length === 0) continue;
    await useFile(path, async (read) => {
      for (const [name, { array }] of arrays) {
        const rows = await array.rows(read, own);
        const rowBytes = rows.bytes.length / places.length;
        const dims = [indices.length, ...array.dims.slice(1)];
        if (!results.has(name))
          results.set(name, { type: array.type, dims, bytes: new Uint8Array(indices.length * rowBytes) });
        const { bytes } = results.get(name)!;
        for (const [row, place] of places.entries())
          bytes.set(rows.bytes.subarray(row * rowBytes, (row + 1) * rowBytes), place * rowBytes);
      }
    });
  }
  return results;
}

/** @throws E_DATA_MISMATCH when two files differ in more than their number of samples */
function requireAlike(first: Shard, other: Shard): void {
  const show = ({ arrays, labels }: Shard) =>
    [...arrays]
      .map(([name, { array, dims }]) => `${name}: ${array.type}[samples,${dims}]`)
      .sort()
      .concat(labels ? ['labels'] : [])
      .join(', ');
  if (show(first) !== show(other))
    throw mismatch(`in ${other.path} what is in ${first.path}: ${show(first)}`, show(other));
}

/** Opens a file, lets `use` read parts of it, and closes it. */
async function useFileRanges<T>(path: string, use: (read: ReadRange, size: number) => Promise<T>): Promise<T> {
  const file = await open(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  try {
    const { size } = await file.stat();
    return await use(async (offset, length) => {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0)
          throw new HoneError('E_DATA_FORMAT', {
            path,
            reason: `it ends before byte ${offset + length}; has it shrunk?`,
          });
        filled += bytesRead;
      }
      return bytes;
    }, size);
  } finally {
    await file.close();
  }
}
