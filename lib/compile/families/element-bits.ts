import type { PlanFillParams } from '../../plan/description';
import { PLAN_TYPE_BYTES, type PlanType } from '../../plan/format';
import type { Program } from '../program';
import type { Buffer } from '../step';

/** The bit pattern of a number as one element of a buffer (never float16: those are computed as float32). */
export function elementBits(type: PlanType, number: number): PlanFillParams {
  if (type === 'float32') return { value: new Uint32Array(Float32Array.of(number).buffer)[0] };
  if (type === 'int64') {
    const [value, high] = new Uint32Array(BigInt64Array.of(BigInt(Math.trunc(number))).buffer);
    return { value, high };
  }
  return { value: type === 'int32' ? number >>> 0 : number & 0xff };
}

/** A constant of one element. */
export function elementConstant(program: Program, name: string, type: PlanType, number: number): Buffer {
  const { value, high = 0 } = elementBits(type, number);
  const bytes = new Uint8Array(Uint32Array.of(value, high).buffer).slice(0, PLAN_TYPE_BYTES[type]);
  return program.constant(name, type, [], bytes).buffer;
}
