/**
 * Element types of ONNX tensors that Hone carries: bits of an element, and the number in `TensorProto.DataType`, which attributes such
 * as Cast's `to` hold too. Sub-byte types are packed, two (int4) elements per byte.
 */
export const ELEMENT_TYPES = {
  float32: { bits: 32, code: 1 },
  uint8: { bits: 8, code: 2 },
  int8: { bits: 8, code: 3 },
  uint16: { bits: 16, code: 4 },
  int16: { bits: 16, code: 5 },
  int32: { bits: 32, code: 6 },
  int64: { bits: 64, code: 7 },
  string: { bits: 0, code: 8 },
  bool: { bits: 8, code: 9 },
  float16: { bits: 16, code: 10 },
  float64: { bits: 64, code: 11 },
  uint32: { bits: 32, code: 12 },
  uint64: { bits: 64, code: 13 },
  bfloat16: { bits: 16, code: 16 },
  uint4: { bits: 4, code: 21 },
  int4: { bits: 4, code: 22 },
} as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** Bytes that `count` elements of `type` take. */
export function byteLength(type: ElementType, count: number): number {
  return Math.ceil((ELEMENT_TYPES[type].bits * count) / 8);
}

const TYPE_BY_CODE = new Map<number, ElementType>(
  Object.entries(ELEMENT_TYPES).map(([type, { code }]) => [code, type as ElementType]),
);

/** Element type with this number; undefined for those that Hone does not carry (float8, complex, ...). */
export function typeOfCode(code: number | undefined): ElementType | undefined {
  return code === undefined ? undefined : TYPE_BY_CODE.get(code);
}
