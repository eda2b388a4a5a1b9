import type { Dim, Graph, ValueType } from '../ir/graph';
import { elementCount, type Tensor, toNumbers } from '../ir/tensor';
import { mismatch } from './convert';

/** Inputs of a model by name, as data must fit them. */
export type ExpectedInputs = ReadonlyMap<string, ValueType>;

/** What the checks look at. */
type ArrayShape = Pick<Tensor, 'type' | 'dims'>;

/** The inputs of a graph. */
export function expectedInputs(graph: Graph): ExpectedInputs {
  return new Map(graph.inputs.map((name) => [name, graph.values.get(name)!]));
}

/**
 * The arrays that a model needs, not yet in its types. An array is `[samples, ...]`, where `...` is the shape of the model input
 * without its first axis; that holds for models with a fixed batch of 1 too: they are fed one sample at a time, with
 * leading axis 1. Symbols fit any extent. A file with one array fits a model with one input under any name.
 * @throws E_DATA_MISMATCH naming what was expected and what is there
 */
export function fitArrays<T extends ArrayShape>(
  arrays: ReadonlyMap<string, T>,
  expected: ExpectedInputs | undefined,
): Map<string, T> {
  if (expected === undefined) return new Map(arrays);
  const found = [...arrays].map(([name, { type, dims }]) => `${name}: ${type}[${dims.join(',')}]`).join(', ');
  const fitted = new Map<string, T>();
  for (const [name, wanted] of expected) {
    const array = arrays.get(name) ?? (expected.size === 1 && arrays.size === 1 ? [...arrays.values()][0] : undefined);
    if (array === undefined) throw mismatch(`an array ${describe(name, wanted)}`, found || 'no arrays');
    if (!fitsShape(array.dims, wanted.shape)) throw mismatch(`an array ${describe(name, wanted)}`, found);
    fitted.set(name, array);
  }
  return fitted;
}

/** @throws E_DATA_MISMATCH when preprocessed samples of shape `dims` do not fit input `name` */
export function checkShape(name: string, wanted: ValueType | undefined, dims: readonly number[]): void {
  const rest = wanted?.shape?.slice(1);
  if (rest !== undefined && !fits(dims, rest))
    throw mismatch(`'${name}' of [samples,${rest.join(',')}]`, `preprocessing to [samples,${dims.join(',')}]`);
}

/** Checks that all arrays (and labels) have the same number of samples, and returns it. */
export function sampleCount(arrays: ReadonlyMap<string, ArrayShape>, labels: Int32Array | undefined): number {
  const counts = [...arrays].map(([name, { dims }]) => [name, dims[0]] as const);
  if (labels) counts.push(['labels', labels.length]);
  const [[first, count]] = counts;
  const odd = counts.find(([, other]) => other !== count);
  if (odd) throw mismatch(`${count} samples in '${odd[0]}', as in '${first}'`, String(odd[1]));
  return count;
}

/** The same elements without or with extents of 1, in the shape of the model input; undefined when they do not fit. */
export function reshapeSample(
  dims: readonly number[],
  shape: readonly Dim[] | undefined,
): readonly number[] | undefined {
  const rest = shape?.slice(1);
  if (rest === undefined || fits(dims, rest)) return dims;
  const plain = dims.filter((dim) => dim !== 1);
  const kept = rest.filter((dim) => dim !== 1);
  if (!fits(plain, kept)) return undefined;
  let next = 0;
  return rest.map((dim) => (dim === 1 ? 1 : plain[next++]));
}

function fitsShape(dims: readonly number[], shape: readonly Dim[] | undefined): boolean {
  return dims.length >= 1 && (shape === undefined || fits(dims.slice(1), shape.slice(1)));
}

function fits(dims: readonly number[], shape: readonly Dim[]): boolean {
  return dims.length === shape.length && shape.every((dim, axis) => typeof dim === 'string' || dim === dims[axis]);
}

function describe(name: string, wanted: ValueType): string {
  const shape = wanted.shape === undefined ? '...' : ['samples', ...wanted.shape.slice(1)].join(',');
  return `'${name}' of ${wanted.type}[${shape}]`;
}

/**
 * Class indices from an array `[samples]` or `[samples, 1]` of integers.
 * @throws E_DATA_MISMATCH
 */
export function labelsFrom(tensor: Tensor): Int32Array {
  const flat = tensor.dims.length >= 1 && elementCount(tensor.dims) === tensor.dims[0];
  if (!flat || !/^u?int(8|16|32|64)$/.test(tensor.type))
    throw mismatch("class indices 'labels' of int64[samples]", `${tensor.type}[${tensor.dims.join(',')}]`);
  const values = toNumbers(tensor);
  const broken = values.find((value) => Math.abs(value) > 2 ** 31 - 1);
  if (broken !== undefined) throw mismatch('class indices of 32 bits in labels', String(broken));
  return Int32Array.from(values);
}
