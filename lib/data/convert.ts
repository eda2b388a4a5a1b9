import { HoneError } from '../core/error';
import type { ElementType } from '../ir/element-type';
import { type Tensor, tensorOf, type ViewOf, viewAs } from '../ir/tensor';

/** Conversions that change no number (float64, NumPy's default, is rounded to float32). */
const CONVERSIONS: Partial<Record<ElementType, readonly ElementType[]>> = {
  float32: ['uint8', 'int8', 'uint16', 'int16', 'bool', 'float64'],
  float64: ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'bool', 'float32'],
  int32: ['uint8', 'int8', 'uint16', 'int16', 'bool'],
  int64: ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'bool'],
  uint8: ['bool'],
};

const TARGETS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
} as const;

/** @throws E_DATA_MISMATCH when elements of `input` cannot become another type unchanged */
export function checkConversion(from: ElementType, to: ElementType, input: string): void {
  if (from !== to && !CONVERSIONS[to]?.includes(from)) throw mismatch(`elements of type ${to} for '${input}'`, from);
}

/** The tensor in a type that `checkConversion` allows; itself when nothing changes. */
export function convertTensor(tensor: Tensor, type: ElementType): Tensor {
  if (tensor.type === type) return tensor;
  const source = viewAs(tensor, tensor.type as 'float32');
  if (type === 'int64') return tensorOf(type, tensor.dims, BigInt64Array.from(source as Iterable<number>, BigInt));
  const target = type as keyof typeof TARGETS;
  return tensorOf(target, tensor.dims, new TARGETS[target](source) as ViewOf<typeof target>);
}

/** Error E_DATA_MISMATCH. */
export function mismatch(expected: string, found: string): HoneError {
  return new HoneError('E_DATA_MISMATCH', { expected, found });
}
