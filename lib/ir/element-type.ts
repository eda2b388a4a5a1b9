/** Element types of ONNX tensors that Hone carries. Sub-byte types are packed, two (int4) elements per byte. */
export const ELEMENT_TYPES = {
  float32: { bits: 32 },
  uint8: { bits: 8 },
  int8: { bits: 8 },
  uint16: { bits: 16 },
  int16: { bits: 16 },
  int32: { bits: 32 },
  int64: { bits: 64 },
  string: { bits: 0 },
  bool: { bits: 8 },
  float16: { bits: 16 },
  float64: { bits: 64 },
  uint32: { bits: 32 },
  uint64: { bits: 64 },
  bfloat16: { bits: 16 },
  uint4: { bits: 4 },
  int4: { bits: 4 },
} as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** Bytes that `count` elements of `type` take. */
export function byteLength(type: ElementType, count: number): number {
  return Math.ceil((ELEMENT_TYPES[type].bits * count) / 8);
}
