import { isScalar, type LayoutName, layoutOf, type RecordOf } from './format';

type Value = number | number[] | { [field: string]: Value };

/** The record at `offset`; 64-bit fields beyond 2^53 come back as Infinity, so that every bound check refuses them. */
export function readRecord<L extends LayoutName>(view: DataView, layout: L, offset: number): RecordOf<L> {
  const record: { [field: string]: Value } = {};
  for (const { name, offset: at, type, length } of layoutOf(layout).fields) {
    if (!isScalar(type)) record[name] = readRecord(view, type as LayoutName, offset + at) as unknown as Value;
    else if (length === 1) record[name] = readScalar(view, type, offset + at);
    else {
      const step = SCALARS[type].bytes;
      record[name] = Array.from({ length }, (_, i) => readScalar(view, type, offset + at + i * step));
    }
  }
  return record as RecordOf<L>;
}

/** Writes `record` at `offset`; missing fields and array ends are zero. */
export function writeRecord<L extends LayoutName>(
  view: DataView,
  layout: L,
  offset: number,
  record: Partial<RecordOf<L>>,
): void {
  const values = record as { [field: string]: Value | undefined };
  for (const { name, offset: at, type, length } of layoutOf(layout).fields) {
    const value = values[name];
    if (value === undefined) continue;
    if (!isScalar(type)) writeRecord(view, type as LayoutName, offset + at, value as never);
    else if (length === 1) SCALARS[type].write(view, offset + at, value as number);
    else
      for (const [i, item] of (value as number[]).entries())
        SCALARS[type].write(view, offset + at + i * SCALARS[type].bytes, item);
  }
}

function readScalar(view: DataView, type: keyof typeof SCALARS, offset: number): number {
  const value = SCALARS[type].read(view, offset);
  if (typeof value === 'number') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : Number.POSITIVE_INFINITY;
}

const SCALARS: Record<
  'u8' | 'u16' | 'u32' | 'i32' | 'f32' | 'u64' | 'i64',
  {
    bytes: number;
    read(view: DataView, at: number): number | bigint;
    write(view: DataView, at: number, value: number): void;
  }
> = {
  u8: { bytes: 1, read: (v, at) => v.getUint8(at), write: (v, at, x) => v.setUint8(at, x) },
  u16: { bytes: 2, read: (v, at) => v.getUint16(at, true), write: (v, at, x) => v.setUint16(at, x, true) },
  u32: { bytes: 4, read: (v, at) => v.getUint32(at, true), write: (v, at, x) => v.setUint32(at, x, true) },
  i32: { bytes: 4, read: (v, at) => v.getInt32(at, true), write: (v, at, x) => v.setInt32(at, x, true) },
  f32: { bytes: 4, read: (v, at) => v.getFloat32(at, true), write: (v, at, x) => v.setFloat32(at, x, true) },
  u64: {
    bytes: 8,
    read: (v, at) => v.getBigUint64(at, true),
    write: (v, at, x) => v.setBigUint64(at, BigInt(x), true),
  },
  i64: { bytes: 8, read: (v, at) => v.getBigInt64(at, true), write: (v, at, x) => v.setBigInt64(at, BigInt(x), true) },
};
