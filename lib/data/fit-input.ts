import type { SampleType } from '../ir/dataset';
import type { Dim, Graph, ValueType } from '../ir/graph';
import { type SampleAxis, sampleAxesOf } from '../ir/sample-axes';
import { elementCount, type Tensor, toNumbers } from '../ir/tensor';
import { mismatch } from './convert';

/** Inputs of a model by name, as data must fit them. */
export type ExpectedInputs = ReadonlyMap<string, ExpectedInput>;

export interface ExpectedInput extends ValueType {
  /** Where the samples are; the first axis when left out. */
  readonly axis?: SampleAxis;
  /** Whether data may lack it. */
  readonly optional?: boolean;
  /** An output that may be its next value, where nothing says so. */
  readonly perhapsFrom?: string;
}

/** An array that fits an input, and how one sample of it looks. */
export interface Fitted<T> extends Required<Omit<SampleType, 'type'>> {
  readonly array: T;
}

/** What the checks look at. */
type ArrayShape = Pick<Tensor, 'type' | 'dims'>;

/** The inputs of a graph. */
export function expectedInputs(graph: Graph): ExpectedInputs {
  const axes = sampleAxesOf(graph);
  return new Map(graph.inputs.map((name) => [name, { ...graph.values.get(name)!, axis: axes.get(name) ?? 0 }]));
}

/**
 * The arrays that a model needs, not yet in its types. An array is `[samples, ...]`, where `...` is the shape of the model input
 * without its sample axis, or its whole shape. That holds for models with a fixed batch of 1 too: they are fed one sample at a
 * time. Symbols fit any extent. A file with one array fits a model with one input under any name.
 * @throws E_DATA_MISMATCH naming what was expected and what is there
 */
export function fitArrays<T extends ArrayShape>(
  arrays: ReadonlyMap<string, T>,
  expected: ExpectedInputs | undefined,
): Map<string, Fitted<T>> {
  if (expected === undefined)
    return new Map([...arrays].map(([name, array]) => [name, { array, dims: array.dims.slice(1), axis: 0 }]));
  const found = [...arrays].map(([name, { type, dims }]) => `${name}: ${type}[${dims.join(',')}]`).join(', ');
  const fitted = new Map<string, Fitted<T>>();
  for (const [name, wanted] of expected) {
    const array = arrays.get(name) ?? (expected.size === 1 && arrays.size === 1 ? [...arrays.values()][0] : undefined);
    if (array === undefined && wanted.optional && arrays.size > 0) continue;
    if (array === undefined)
      throw mismatch(`an array ${describe(name, wanted)}${stateAdvice(name, wanted)}`, found || 'no arrays');
    const sample = array.dims.length >= 1 ? fitSample(array.dims.slice(1), wanted) : undefined;
    if (sample === undefined) throw mismatch(`an array ${describe(name, wanted)}`, found);
    fitted.set(name, { array, ...sample });
  }
  if (fitted.size === 0 && expected.size > 0) throw mismatch(`arrays named ${[...expected.keys()].join(', ')}`, found);
  return fitted;
}

/** One sample of extents `dims` as an input takes it: without the sample axis, or as the whole input; undefined if neither. */
function fitSample(
  dims: readonly number[],
  { shape, axis = 0 }: ExpectedInput,
): Omit<Fitted<unknown>, 'array'> | undefined {
  if (shape === undefined) return { dims, axis: 0 };
  if (axis !== 'none') {
    if (fits(dims, shape.toSpliced(axis, 1))) return { dims, axis };
    if (dims[axis] === 1 && fits(dims, shape)) return { dims: dims.toSpliced(axis, 1), axis };
  }
  if (fits(dims, shape)) return { dims, axis: 'none' };
  // Numbers, one per sample, for a vector that could have been one sample as a whole.
  return dims.length === 0 && shape.length === 1 && typeof shape[0] === 'string' ? { dims, axis: 0 } : undefined;
}

/**
 * Preprocessed samples of shape `dims` as input `name` takes them.
 * @throws E_DATA_MISMATCH when they do not fit
 */
export function fitPreprocessed(
  name: string,
  wanted: ExpectedInput | undefined,
  dims: readonly number[],
): Omit<SampleType, 'type'> {
  if (wanted === undefined) return { dims };
  const sample = fitSample(dims, wanted);
  if (sample === undefined)
    throw mismatch(`'${name}' of [${sampleText(wanted)}]`, `preprocessing to [samples,${dims.join(',')}]`);
  return sample.axis === 0 ? { dims: sample.dims } : sample;
}

/** Checks that all arrays (and labels) have the same number of samples, and returns it. */
export function sampleCount(arrays: ReadonlyMap<string, Fitted<ArrayShape>>, labels: Int32Array | undefined): number {
  return requireCount(
    [...arrays].map(([name, { array }]) => [name, array.dims[0]]),
    labels,
  );
}

/** The number of samples that all inputs have. @throws E_DATA_MISMATCH when one of them, or the labels, has another */
export function requireCount(
  inputs: readonly (readonly [name: string, count: number])[],
  labels: Int32Array | undefined,
): number {
  const counts = labels ? [...inputs, ['labels', labels.length] as const] : inputs;
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

function fits(dims: readonly number[], shape: readonly Dim[]): boolean {
  return dims.length === shape.length && shape.every((dim, axis) => typeof dim === 'string' || dim === dims[axis]);
}

function describe(name: string, wanted: ExpectedInput): string {
  return `'${name}' of ${wanted.type}[${sampleText(wanted)}]`;
}

function stateAdvice(name: string, { perhapsFrom }: ExpectedInput): string {
  if (perhapsFrom === undefined) return '';
  return ` (or --state ${name}=${perhapsFrom}, if it is what that output was at the sample before)`;
}

/** Extents of an array of samples. */
function sampleText({ shape, axis = 0 }: ExpectedInput): string {
  if (shape === undefined) return 'samples,...';
  return ['samples', ...(axis === 'none' ? shape : shape.toSpliced(axis, 1))].join(',');
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
