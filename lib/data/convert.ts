import { HoneError } from '../core/error';
import { decodeBfloat16, decodeFloat16, encodeFloat16 } from '../core/half';
import type { ElementType } from '../ir/element-type';
import { elementCount, type Tensor, tensorOf, VIEWS, type ViewOf, type ViewType, viewAs } from '../ir/tensor';

/** Types that model inputs have as numbers. */
type Target = ViewType;

/** Types whose every number the target holds; the numbers of others are looked at one by one. */
const LOSSLESS: Partial<Record<ElementType, readonly ElementType[]>> = {
  float32: ['uint8', 'int8', 'uint16', 'int16', 'bool'],
  float64: ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'bool', 'float32'],
  int32: ['uint8', 'int8', 'uint16', 'int16', 'bool'],
  uint8: ['bool'],
};

/** Whether every number of one type is one of another. */
export function isLossless(from: ElementType, to: ElementType): boolean {
  return from === to || (LOSSLESS[to]?.includes(from) ?? false);
}

/** @throws E_DATA_MISMATCH when elements of `input` are no numbers, or can never become another type */
export function checkConversion(from: ElementType, to: ElementType, input: string): void {
  if (from === to) return;
  if (!(to in VIEWS) || !(from in VIEWS || from === 'float16' || from === 'bfloat16'))
    throw mismatch(`elements of type ${to} for '${input}'`, from);
}

/**
 * The tensor of `input` in a type that `checkConversion` allows; itself when nothing changes. No number changes, but that
 * float64, NumPy's default, is rounded to float32.
 * @throws E_DATA_MISMATCH naming the first number that the type does not hold
 */
export function convertTensor(tensor: Tensor, type: ElementType, input: string): Tensor {
  if (tensor.type === type) return tensor;
  const target = type as Target;
  const result = new VIEWS[target](elementCount(tensor.dims));
  if (isLossless(tensor.type, type)) (result as Float32Array).set(viewAs(tensor, tensor.type as 'float32'));
  else {
    const wrong = fill(result, numbersOf(tensor), type === 'bool' ? 1 : undefined, tensor.type === 'float64');
    if (wrong !== undefined)
      throw mismatch(
        `elements of type ${type} for '${input}'`,
        `${tensor.type} ${wrong.value} at ${wrong.at}, which ${type} does not hold`,
      );
  }
  return tensorOf(target, tensor.dims, result as ViewOf<typeof target>);
}

/**
 * The float32 tensor of `input` as float16: every number rounded to the nearest, ties to even.
 * @throws E_DATA_MISMATCH naming the first number beyond what float16 holds; infinities and NaN stay what they are
 */
export function toFloat16(tensor: Tensor, input: string): Tensor {
  const numbers = viewAs(tensor, 'float32');
  const bits = new Uint16Array(numbers.length);
  for (let at = 0; at < bits.length; at++) {
    bits[at] = encodeFloat16(numbers[at]);
    if ((bits[at] & 0x7fff) === 0x7c00 && Number.isFinite(numbers[at]))
      throw mismatch(`numbers of float16, at most 65504, for '${input}'`, `${numbers[at]} at ${at}`);
  }
  return { ...tensorOf('uint16', tensor.dims, bits), type: 'float16' };
}

/** The numbers of a tensor of float16, as float32. */
export function fromFloat16(tensor: Tensor): Tensor {
  return tensorOf('float32', tensor.dims, decoded(tensor, decodeFloat16));
}

function decoded(tensor: Tensor, decode: (bits: number) => number): Float32Array<ArrayBuffer> {
  const bits = viewAs({ ...tensor, type: 'uint16' }, 'uint16');
  const numbers = new Float32Array(bits.length);
  for (let at = 0; at < bits.length; at++) numbers[at] = decode(bits[at]);
  return numbers;
}

type Numbers = ArrayLike<number> | ArrayLike<bigint>;

function numbersOf(tensor: Tensor): Numbers {
  if (tensor.type === 'float16') return decoded(tensor, decodeFloat16);
  if (tensor.type === 'bfloat16') return decoded(tensor, decodeBfloat16);
  return viewAs(tensor, tensor.type as Target);
}

/** Copies numbers; returns the first that comes out as another. `rounds`: floats may be rounded, but not to infinity. */
function fill(
  result: InstanceType<(typeof VIEWS)[Target]>,
  numbers: Numbers,
  highest: number | undefined,
  rounds: boolean,
): { value: number | bigint; at: number } | undefined {
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at];
    if (result instanceof BigInt64Array || result instanceof BigUint64Array) {
      if (typeof value === 'number' && !Number.isInteger(value)) return { value, at };
      const big = BigInt(value);
      result[at] = big;
      if (result[at] !== big) return { value, at };
      continue;
    }
    result[at] = Number(value);
    const found = result[at];
    const kept = rounds && result instanceof Float32Array ? isRounded(Number(value), found) : isSame(value, found);
    if (!kept || (highest !== undefined && found > highest)) return { value, at };
  }
  return undefined;
}

function isSame(value: number | bigint, found: number): boolean {
  if (typeof value === 'bigint') return Number.isFinite(found) && BigInt(found) === value;
  return value === found || (Number.isNaN(value) && Number.isNaN(found));
}

function isRounded(value: number, found: number): boolean {
  return Number.isFinite(value) === Number.isFinite(found);
}

/** Error E_DATA_MISMATCH. */
export function mismatch(expected: string, found: string): HoneError {
  return new HoneError('E_DATA_MISMATCH', { expected, found });
}
