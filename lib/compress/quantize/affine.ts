import type { AffineParameters } from '../../passes/insert-qdq';

/** Interval of real numbers that uint8 shall represent; always holds zero. */
export interface NumberRange {
  readonly low: number;
  readonly high: number;
}

/** Largest code of uint8. */
export const UINT8_LIMIT = 255;
/** Smallest scale given out: products of two of them are still normal float32 numbers. */
export const MIN_SCALE = 2 ** -60;

/**
 * uint8 scale and zero point that represent `range`, widened to hold zero, with codes from 0 to `limit`. Zero is exact; the
 * scale is rounded towards zero, so that a range that starts or ends at zero is never exceeded and the activation behind it
 * needs no clamp of its own. A range without extent gets scale 1.
 */
export function affineOf(range: NumberRange, limit: number = UINT8_LIMIT): AffineParameters {
  const codes = limit === UINT8_LIMIT ? {} : { limit };
  const low = Math.min(range.low, 0);
  const high = Math.max(range.high, 0);
  if (low === high) return { scale: 1, zeroPoint: 0, ...codes };
  const scale = Math.max(floorToFloat32((high - low) / limit), MIN_SCALE);
  const zeroPoint = Math.min(limit, Math.max(0, Math.round(-low / scale)));
  return { scale, zeroPoint, ...codes };
}

/** Real numbers that a uint8 quantization can represent. */
export function rangeOf({ scale, zeroPoint, limit = UINT8_LIMIT }: AffineParameters): NumberRange {
  return { low: Math.fround((0 - zeroPoint) * scale), high: Math.fround((limit - zeroPoint) * scale) };
}

/** Largest float32 not above the positive number `x`. */
function floorToFloat32(x: number): number {
  const nearest = Math.fround(x);
  if (nearest <= x) return nearest;
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, nearest);
  view.setUint32(0, view.getUint32(0) - 1);
  return view.getFloat32(0);
}
