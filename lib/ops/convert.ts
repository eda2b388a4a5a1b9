import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../core/half';
import { ELEMENT_TYPES, type ElementType } from '../ir/element-type';
import { emptyDense, isFloat } from './dense';
import type { Dense, Precision } from './operator';

/**
 * The elements as another type: floats truncate toward zero, integers keep their low bits, anything but 0 is true.
 * Floats outside an integer type's range are undefined in ONNX; here they keep their low bits too.
 */
export function convert(input: Dense, type: ElementType, precision: Precision): Dense {
  const result = emptyDense(type, input.dims, precision);
  const through = converterTo(type, isFloat(input.type));
  for (let i = 0; i < result.data.length; i++) result.data[i] = through(input.data[i]);
  return result;
}

function converterTo(type: ElementType, fromFloat: boolean): (x: number) => number {
  if (type === 'bool') return (x) => Number(x !== 0);
  if (type === 'float16') return (x) => decodeFloat16(encodeFloat16(x));
  if (type === 'bfloat16') return (x) => decodeBfloat16(encodeBfloat16(x));
  if (isFloat(type)) return (x) => x;
  const whole = fromFloat ? Math.trunc : (x: number) => x;
  if (type === 'int4') return (x) => (whole(x) << 28) >> 28;
  if (type === 'uint4') return (x) => whole(x) & 15;
  // Typed arrays keep the low bits of narrower integers by themselves; 64-bit values live in floating arrays.
  return ELEMENT_TYPES[type].bits === 64 ? (x) => whole(x) + 0 : whole;
}
