import type { PlanWeights } from '../plan/description';
import { alignUp, PLAN_ALIGNMENT } from '../plan/format';

/** A constant as codes with their table: `PlanWeights` with bytes in place of indices. */
export interface WeightCodes extends Omit<PlanWeights, 'codes' | 'table'> {
  readonly codes: Uint8Array;
  readonly table?: Uint8Array;
}

/** float32 elements as small integers less a zero point, times a scale: what a DequantizeLinear makes, in the order of a plan. */
export interface ScaledIntegers {
  /** Signed, of up to 8 bits, row after row. */
  readonly integers: Int8Array;
  /** Place of each element's scale and zero point. */
  readonly groups: ArrayLike<number>;
  readonly scales: Float32Array;
  readonly zeroPoints: Int32Array;
}

/** Smaller constants stay as they are: a record and its alignment would eat what is won. */
const LEAST_BYTES = 1024;

/**
 * The smallest form as codes of a constant of rows of `row` elements, whose elements decode to the very same bits; undefined when
 * none is smaller than the elements themselves.
 */
export function findWeightCodes(
  bytes: Uint8Array,
  type: 'int8' | 'float32',
  row: number,
  scaled?: () => ScaledIntegers | undefined,
): WeightCodes | undefined {
  if (bytes.length < LEAST_BYTES) return undefined;
  const made = [
    type === 'int8' ? narrowCodes(bytes, row) : scaledCodes(scaled?.(), row),
    codebookCodes(bytes, type, row),
  ].filter((codes) => codes !== undefined);
  const [best] = made.sort((a, b) => a.bits - b.bits || sizeOf(a) - sizeOf(b));
  return best !== undefined && sizeOf(best) < bytes.length ? best : undefined;
}

/** Bytes in the file. */
function sizeOf({ codes, table }: WeightCodes): number {
  return alignUp(codes.length, PLAN_ALIGNMENT) + alignUp(table?.length ?? 0, PLAN_ALIGNMENT);
}

function narrowCodes(bytes: Uint8Array, row: number): WeightCodes | undefined {
  const fits = bytes.every((byte) => byte < 8 || byte >= 248);
  return fits ? { encoding: 'narrow', type: 'int8', bits: 4, row, codes: packCodes(bytes, 4, row) } : undefined;
}

/** Codes of `row` per row, packed as a plan has them. */
function packCodes(codes: ArrayLike<number>, bits: 4 | 8, row: number): Uint8Array {
  if (bits === 8) return Uint8Array.from(codes, (code) => code & 255);
  const rowBytes = Math.ceil(row / 2);
  const packed = new Uint8Array((codes.length / row) * rowBytes);
  for (let first = 0, start = 0; first < codes.length; first += row, start += rowBytes)
    for (let k = 0; k < row; k++) packed[start + (k >> 1)] |= (codes[first + k] & 15) << (k % 2 ? 4 : 0);
  return packed;
}

/** Places in a table of all elements that there are, in the order in which they first come. */
function codebookCodes(bytes: Uint8Array, type: 'int8' | 'float32', row: number): WeightCodes | undefined {
  const elements = type === 'int8' ? bytes : new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const most = type === 'int8' ? 16 : 256;
  const places = new Map<number, number>();
  const codes = new Uint8Array(elements.length);
  for (let i = 0; i < elements.length; i++) {
    let place = places.get(elements[i]);
    if (place === undefined) {
      place = places.size;
      if (place === most) return undefined;
      places.set(elements[i], place);
    }
    codes[i] = place;
  }
  const bits = places.size > 16 ? 8 : 4;
  const table = new (type === 'int8' ? Uint8Array : Uint32Array)(2 ** bits);
  table.set([...places.keys()]);
  return {
    encoding: 'codebook',
    type,
    bits,
    row,
    codes: packCodes(codes, bits, row),
    table: new Uint8Array(table.buffer),
  };
}

/** Undefined where scales do not go by equal groups of neighbours in a row. */
function scaledCodes(source: ScaledIntegers | undefined, row: number): WeightCodes | undefined {
  if (source === undefined) return undefined;
  const { integers, groups, scales, zeroPoints } = source;
  let group = 1;
  while (group < row && groups[group] === groups[0]) group++;
  for (let first = 0; first < integers.length; first += row)
    for (let k = 0; k < row; k++) if (groups[first + k] !== groups[first + k - (k % group)]) return undefined;
  const perRow = Math.ceil(row / group);
  const count = (integers.length / row) * perRow;
  const hasZeroPoints = zeroPoints.some((zeroPoint) => zeroPoint !== 0);
  const table = new Uint8Array(count * (hasZeroPoints ? 5 : 4));
  const tableScales = new Float32Array(table.buffer, 0, count);
  for (let i = 0; i < count; i++) {
    const place = groups[Math.floor(i / perRow) * row + (i % perRow) * group];
    tableScales[i] = scales[place];
    if (hasZeroPoints) table[count * 4 + i] = zeroPoints[place];
  }
  const bits = integers.every((integer) => integer >= -8 && integer < 8) ? 4 : 8;
  return {
    encoding: 'scaled',
    type: 'float32',
    bits,
    row,
    group,
    zeroPoints: hasZeroPoints,
    codes: packCodes(integers, bits, row),
    table,
  };
}
