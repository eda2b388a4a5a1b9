import type { ElementType } from '../ir/element-type';

/** Element types by the numbers of ONNX `TensorProto.DataType`, as attributes such as Cast's `to` hold them. */
const CODES: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
};

/** Element type of an attribute number; undefined for types that Hone does not carry (complex, float8). */
export function typeOfCode(code: number): ElementType | undefined {
  return (Object.keys(CODES) as ElementType[]).find((type) => CODES[type] === code);
}

/** Number of an element type in attributes such as Cast's `to`. */
export function codeOf(type: ElementType): number {
  return CODES[type];
}
