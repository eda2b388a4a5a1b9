import { HoneError } from '../core/error';
import type { PlanType } from '../plan/format';
import type { NativePort, PlanArray } from './addon';

/** Typed-array class by plan type. */
const CLASSES = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  float16: Uint16Array,
} as const satisfies Record<PlanType, unknown>;

/** An input or output of a session. */
export interface TensorInfo {
  readonly name: string;
  readonly type: PlanType;
  /** In the ONNX layout. */
  readonly dims: readonly number[];
  /** Elements. */
  readonly length: number;
  /** Of outputs: the axis whose extent a run decides, that of `dims` at most; left out: none. */
  readonly counted?: number;
}

/** A value for one input: elements in row-major order of the model's shape, or with the shape said. */
export type Feed = PlanArray | { readonly data: PlanArray; readonly dims: readonly number[] };

/** Values by name. */
export type Feeds = Readonly<Record<string, Feed>> | ReadonlyMap<string, Feed>;

export function tensorInfo(port: NativePort): TensorInfo {
  return { ...port, length: elementsOf(port.dims) };
}

/** Elements of a tensor with these extents. */
export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A fresh array for a port. */
export function allocate({ type, length }: TensorInfo): PlanArray {
  return new CLASSES[type](length);
}

/** Elements as numbers. int64 beyond 2^53 are rounded; float16 stay bit patterns. */
export function numbersOf(array: PlanArray): Exclude<PlanArray, BigInt64Array> | Float64Array {
  return array instanceof BigInt64Array ? Float64Array.from(array, Number) : array;
}

/** Copies elements between arrays of one class and length. */
export function copyElements(from: PlanArray, to: PlanArray): void {
  // Every class takes elements of its own.
  (to as Float32Array).set(from as Float32Array);
}

/** View of `buffer`, or of `length` elements from a byte on, as elements of `type`. */
export function arrayView(type: PlanType, buffer: ArrayBufferLike, offset = 0, length?: number): PlanArray {
  return new CLASSES[type](buffer as ArrayBuffer, offset, length);
}

/** Bytes of an element of `type`. */
export function elementBytes(type: PlanType): number {
  return CLASSES[type].BYTES_PER_ELEMENT;
}

/**
 * The arrays of `feeds` in the order of the inputs.
 * @throws E_INPUT_NAME, E_INPUT_TYPE, E_INPUT_SHAPE, E_INPUT_LENGTH
 */
export function takeInputs(inputs: readonly TensorInfo[], feeds: Feeds): PlanArray[] {
  const given = feeds instanceof Map ? feeds : new Map(Object.entries(feeds));
  const expected = inputs.map(({ name }) => `'${name}'`).join(', ') || 'no inputs';
  for (const name of given.keys())
    if (!inputs.some((input) => input.name === name)) throw new HoneError('E_INPUT_NAME', { name, expected });
  return inputs.map((input) => takeInput(input, given.get(input.name)));
}

function takeInput({ name, type, dims, length }: TensorInfo, feed: Feed | undefined): PlanArray {
  if (feed === undefined) throw new HoneError('E_INPUT_LENGTH', { name, expected: length, found: 'nothing' });
  const data = ArrayBuffer.isView(feed) ? feed : feed?.data;
  if (!isUsable(data, type))
    throw new HoneError('E_INPUT_TYPE', { name, expected: arrayName(type), found: typeName(data) });
  const shape = ArrayBuffer.isView(feed) ? dims : feed.dims;
  if (shape.length !== dims.length || shape.some((dim, axis) => dim !== dims[axis]))
    throw new HoneError('E_INPUT_SHAPE', { name, expected: `[${dims}]`, found: `[${shape}]` });
  if (data.length !== length) throw new HoneError('E_INPUT_LENGTH', { name, expected: length, found: data.length });
  return data;
}

/**
 * The arrays of `given` in the order of the outputs.
 * @throws E_OUTPUT_NAME, E_OUTPUT_TYPE, E_OUTPUT_LENGTH (also for an array that is missing)
 */
export function takeOutputs(outputs: readonly TensorInfo[], given: Readonly<Record<string, PlanArray>>): PlanArray[] {
  const expected = outputs.map(({ name }) => `'${name}'`).join(', ');
  for (const name of Object.keys(given))
    if (!outputs.some((output) => output.name === name)) throw new HoneError('E_OUTPUT_NAME', { name, expected });
  return outputs.map(({ name, type, length }) => {
    const data = given[name];
    if (data === undefined) throw new HoneError('E_OUTPUT_LENGTH', { name, expected: length, found: 'nothing' });
    if (!isUsable(data, type))
      throw new HoneError('E_OUTPUT_TYPE', { name, expected: arrayName(type), found: typeName(data) });
    if (data.length !== length) throw new HoneError('E_OUTPUT_LENGTH', { name, expected: length, found: data.length });
    return data;
  });
}

/** True for a typed array of the right class over plain memory that can neither be shared nor resized. */
function isUsable(data: unknown, type: PlanType): data is PlanArray {
  if (!(data instanceof CLASSES[type])) return false;
  const { buffer } = data;
  return buffer instanceof ArrayBuffer && !(buffer as { resizable?: boolean }).resizable;
}

/** What elements of a type come in, where its name does not tell. */
function arrayName(type: PlanType): string {
  return type === 'float16' ? 'float16, as bits in a Uint16Array' : type;
}

function typeName(data: unknown): string {
  if (!ArrayBuffer.isView(data)) return data === null ? 'null' : typeof data;
  const name = data.constructor.name.replace('Array', '').toLowerCase();
  if (!(data.buffer instanceof ArrayBuffer)) return `${name} in shared memory`;
  return (data.buffer as { resizable?: boolean }).resizable ? `${name} in a resizable buffer` : name;
}
