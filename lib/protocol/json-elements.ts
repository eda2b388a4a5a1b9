import { DATATYPES, type Datatype } from '../core/datatype';
import { decodeFloat16, encodeFloat16 } from '../core/half';
import { found } from './found';
import { elementsIn, shapeText, type TensorData } from './tensor';

/** Why `data` of JSON is not the tensor that its shape and datatype say. */
export type ElementsFault =
  | { readonly kind: 'list'; readonly found: string }
  | { readonly kind: 'count'; readonly found: number }
  | { readonly kind: 'nesting'; readonly expected: string; readonly found: string }
  | { readonly kind: 'element'; readonly at: number; readonly found: string };

/** Numbers that a datatype may have in JSON: those that it holds, and of INT64 those that every reader of JSON keeps. */
const RANGES = {
  FP32: { low: -3.4028234663852886e38, high: 3.4028234663852886e38, whole: false },
  FP16: { low: -65504, high: 65504, whole: false },
  INT64: { low: Number.MIN_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, whole: true },
  INT32: { low: -(2 ** 31), high: 2 ** 31 - 1, whole: true },
  INT8: { low: -128, high: 127, whole: true },
  UINT8: { low: 0, high: 255, whole: true },
  BOOL: { low: 0, high: 1, whole: true },
} as const satisfies Record<Datatype, unknown>;

/**
 * Elements of a tensor out of JSON: a flat list in row-major order, or lists nested exactly as the shape says. BOOL takes true,
 * false, 0 and 1; FP16 rounds to nearest, ties to even.
 */
export function elementsFromJson(
  datatype: Datatype,
  shape: readonly number[],
  data: unknown,
): { readonly data: TensorData } | { readonly fault: ElementsFault } {
  if (!Array.isArray(data)) return { fault: { kind: 'list', found: found(data) } };
  const rows = shape.length > 0 && Array.isArray(data[0]) ? rowsIn(data, shape) : [data];
  if (!Array.isArray(rows)) return { fault: rows };
  // Not the product of the shape, which may be far from what is there.
  const count = rows.reduce((sum, { length }) => sum + length, 0);
  if (count !== elementsIn(shape)) return { fault: { kind: 'count', found: count } };
  return fill(datatype, rows, count);
}

/** The innermost lists in order, or why the lists are not those of the shape. */
function rowsIn(data: readonly unknown[], shape: readonly number[]): (readonly unknown[])[] | ElementsFault {
  const rows: (readonly unknown[])[] = [];
  /** Indices of the list at hand. */
  const place: number[] = [];
  const fault = (what: string): ElementsFault => {
    // The first lists of all levels show what the sender had in mind; behind them, lists can only be ragged.
    const isFirst = place.every((index) => index === 0);
    const text = isFirst ? nestingText(extentsOf(data)) : `${what} at data${nestingText(place)}`;
    return { kind: 'nesting', expected: nestingText(shape), found: text };
  };
  const walk = (list: unknown): ElementsFault | undefined => {
    if (!Array.isArray(list)) return fault(found(list));
    if (list.length !== shape[place.length]) return fault(`a list of ${list.length}`);
    if (place.length === shape.length - 1) {
      if (Array.isArray(list[0])) return fault('a list of lists');
      rows.push(list);
      return undefined;
    }
    for (let index = 0; index < list.length; index++) {
      place.push(index);
      const inner = walk(list[index]);
      if (inner !== undefined) return inner;
      place.pop();
    }
    return undefined;
  };
  return walk(data) ?? rows;
}

/** The elements of all rows, each checked. */
function fill(
  datatype: Datatype,
  rows: readonly (readonly unknown[])[],
  count: number,
): { readonly data: TensorData } | { readonly fault: ElementsFault } {
  const { low, high, whole } = RANGES[datatype];
  const numbers: Exclude<TensorData, BigInt64Array> | Float64Array =
    datatype === 'INT64' ? new Float64Array(count) : new DATATYPES[datatype](count);
  let at = 0;
  for (const row of rows)
    for (let index = 0; index < row.length; index++) {
      let value = row[index];
      if (datatype === 'BOOL' && typeof value === 'boolean') value = Number(value);
      if (typeof value !== 'number' || !(value >= low && value <= high) || (whole && !Number.isInteger(value)))
        return { fault: { kind: 'element', at, found: found(value) } };
      numbers[at++] = datatype === 'FP16' ? encodeFloat16(value) : value;
    }
  return { data: numbers instanceof Float64Array ? BigInt64Array.from(numbers, BigInt) : numbers };
}

/** Extents of nested lists, by their first elements. */
function extentsOf(data: readonly unknown[]): readonly number[] {
  const extents: number[] = [];
  for (let list: unknown = data; Array.isArray(list); list = list[0]) extents.push(list.length);
  return extents;
}

function nestingText(extents: readonly number[]): string {
  return extents.map((extent) => `[${extent}]`).join('');
}

/** Elements of a float tensor that are NaN or infinite; 0 for other datatypes. */
export function countNonFinite(datatype: Datatype, data: TensorData): number {
  let count = 0;
  if (datatype === 'FP32') for (const value of data as Float32Array) if (value - value !== 0) count++;
  if (datatype === 'FP16') for (const bits of data as Uint16Array) if ((bits & 0x7c00) === 0x7c00) count++;
  return count;
}

/** Finite elements as the text of a flat JSON list. Every digit of INT64 is there; floats read back to the same bits. */
export function elementsToJson(datatype: Datatype, data: TensorData): string {
  if (datatype === 'BOOL') return JSON.stringify(Array.from(data as Uint8Array, Boolean));
  if (datatype === 'FP16') return floatsToJson(Float32Array.from(data as Uint16Array, decodeFloat16));
  return datatype === 'FP32' ? floatsToJson(data as Float32Array) : `[${data.join(',')}]`;
}

function floatsToJson(values: Float32Array): string {
  // JavaScript writes -0 as 0; Python reads -0 as an integer, which has no sign of zero.
  const negativeZero = values.some((value) => Object.is(value, -0));
  return negativeZero
    ? `[${Array.from(values, (value) => (Object.is(value, -0) ? '-0.0' : String(value))).join(',')}]`
    : `[${values.join(',')}]`;
}

/** A fault of elements in words, for a tensor that is told elsewhere. */
export function elementsFaultText(fault: ElementsFault, datatype: Datatype, shape: readonly number[]): string {
  switch (fault.kind) {
    case 'list':
      return `expected a list 'data', found ${fault.found}`;
    case 'count':
      return `expected ${elementsIn(shape)} elements, found ${fault.found}`;
    case 'nesting':
      return `expected data flat or nested as ${fault.expected} for shape ${shapeText(shape)}, found ${fault.found}`;
    case 'element':
      return `element ${fault.at} is not a value of ${datatype}: ${fault.found}`;
  }
}
