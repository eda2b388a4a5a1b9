import { roundHalfToEven } from '../core/half';
import type { PlanClamp } from '../plan/description';
import type { Quantization } from './step';

/** Lower and upper bound of a clamp, infinite where there is none. */
export type Bounds = readonly [low: number, high: number];

export const NO_BOUNDS: Bounds = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Whether bounds let every number pass. */
export function isUnbounded(bounds: Bounds): boolean {
  return bounds[0] === NO_BOUNDS[0] && bounds[1] === NO_BOUNDS[1];
}

/** Bounds that do what `inner` and then `outer` do. Where a low bound is above the high one, the high one wins (ONNX Clip). */
export function composeBounds(inner: Bounds, outer: Bounds): Bounds {
  const clip = (x: number): number => Math.min(Math.max(x, outer[0]), outer[1]);
  return [clip(Math.min(inner[0], inner[1])), clip(inner[1])];
}

/** `x` limited to low..high; NaN gives `low`. */
export function limit(x: number, low: number, high: number): number {
  return x > low ? Math.min(x, high) : low;
}

/** int8 of a real number: `saturate(round_half_to_even(fl(x / scale)) + zeroPoint)`; NaN gives -128. */
export function quantizeNumber(real: number, { scale, zeroPoint }: Quantization): number {
  return limit(roundHalfToEven(Math.fround(real / scale)) + zeroPoint, -128, 127);
}

/** float32 that an int8 number stands for. */
export function dequantizeNumber(integer: number, { scale, zeroPoint }: Quantization): number {
  return Math.fround((integer - zeroPoint) * scale);
}

/** Whether two int8 grids are the same. */
export function sameGrid(a: Quantization, b: Quantization): boolean {
  return a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}

/** int8 bounds of float bounds: rounding is monotone, so clamping before it and after it gives the same numbers. */
export function clampCodes(bounds: Bounds, grid: Quantization): PlanClamp {
  return { qmin: quantizeNumber(bounds[0], grid), qmax: quantizeNumber(bounds[1], grid) };
}

/** Float bounds as the clamp of a float kernel. */
export function floatClamp(bounds: Bounds): PlanClamp {
  return { lo: bounds[0], hi: bounds[1] };
}

/** The 256 bytes of `function_` between two int8 grids, indexed by the input's bit pattern. */
export function tableOnGrid(from: Quantization, to: Quantization, function_: (real: number) => number): Uint8Array {
  const table = new Uint8Array(256);
  for (let q = -128; q < 128; q++)
    table[q & 0xff] = quantizeNumber(Math.fround(function_(dequantizeNumber(q, from))), to) & 0xff;
  return table;
}
