import { elementCount } from '../ir/tensor';
import { PLAN_TYPE_BYTES } from '../plan/format';
import type { Program } from './program';
import type { Buffer, Operand } from './step';
import { Unsupported } from './unsupported';
import { alignFactors, type Factor, isDense, memoryOffsets, moveView, sameLayout, type View } from './view';

/** Most elements that a constant is written out to. */
const MOST_REPEATED = 2 ** 24;

/**
 * The second operand of an element-wise kernel. The kernel walks `a` in memory order and starts its second operand anew at
 * every end, so that operand must have the elements of `a`'s memory order, or a period of them. `b` has the extents of `a`;
 * repeated axes have a stride of 0.
 * @throws Unsupported for a constant that would have to be written out to more than 2^24 elements
 */
export function repeatOperand(program: Program, b: View, a: View): Operand {
  if (program.isDirect(b) && sameLayout(a, b)) return whole(b.buffer);
  const period = periodOf(b, a);
  if (b.buffer.place.kind === 'constant') {
    const count = period ? elementCount(period.map(({ extent }) => extent)) : a.buffer.count;
    if (count > MOST_REPEATED)
      throw new Unsupported(`'${b.buffer.name}' would have to be repeated to ${count} elements`);
    if (period)
      return gather(
        program,
        b.buffer,
        memoryOffsets([period]).map((offset) => offset + b.offset),
      );
    const index = inMemoryOrder(b, a);
    return gather(program, b.buffer, index.subarray(0, shortestPeriod(index)));
  }
  if (b.buffer.place.kind !== 'port' && period && repeatsWhole(b, period)) return whole(b.buffer);
  const target = program.buffer(`${b.buffer.name}:arranged`, b.buffer.type, a.buffer.count, b.buffer.quantization);
  program.copy(`${b.buffer.name}:arrange`, b, moveView(a, target));
  return whole(target);
}

function whole(buffer: Buffer): Operand {
  return { buffer, dims: [buffer.count] };
}

/**
 * What `b` does while memory order of `a` runs through one period: factors with the strides of `b`, outermost first.
 * Undefined where the factors of the two do not divide each other.
 */
function periodOf(b: View, a: View): readonly Factor[] | undefined {
  if (!isDense(a)) throw new RangeError('the leading operand does not fill its buffer');
  const runs = alignFactors(b, a)
    ?.filter(({ extent }) => extent > 1)
    .sort((left, right) => right.target - left.target);
  // What only repeats outside is no part of the period.
  const first = runs?.findIndex(({ source }) => source !== 0) ?? -1;
  return runs && (first < 0 ? [] : runs.slice(first).map(({ extent, source }) => ({ extent, stride: source })));
}

/** Whether a period meets the buffer of `b` once, from front to end. */
function repeatsWhole(b: View, period: readonly Factor[]): boolean {
  let expected = 1;
  for (const { extent, stride } of [...period].reverse()) {
    if (stride !== expected) return false;
    expected *= extent;
  }
  return b.offset === 0 && expected === b.buffer.count;
}

/** For every element of `a` in memory order, the place in `b`'s buffer that it meets. */
function inMemoryOrder(b: View, a: View): Float64Array {
  if (!isDense(a)) throw new RangeError('the leading operand does not fill its buffer');
  const result = new Float64Array(a.buffer.count);
  const [from, to] = [memoryOffsets(b.dims), memoryOffsets(a.dims)];
  for (let i = 0; i < result.length; i++) result[to[i]] = b.offset + from[i];
  return result;
}

function shortestPeriod(values: Float64Array): number {
  for (let period = 1; period <= values.length / 2; period++) {
    if (values.length % period !== 0) continue;
    if (values.every((value, index) => value === values[index % period])) return period;
  }
  return values.length;
}

/** The elements `index` of a constant buffer as a new constant. */
function gather(program: Program, buffer: Buffer, index: Float64Array): Operand {
  const { name, type, quantization, place } = buffer;
  if (place.kind !== 'constant') throw new RangeError(`'${name}' is not constant`);
  const { bytes } = place;
  const size = PLAN_TYPE_BYTES[type];
  const elements = new Uint8Array(index.length * size);
  for (let i = 0; i < index.length; i++)
    for (let byte = 0; byte < size; byte++) elements[i * size + byte] = bytes[index[i] * size + byte];
  return program.constant(name, type, [index.length], elements, quantization);
}
