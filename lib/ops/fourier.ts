import type { Dim } from '../ir/graph';
import { addDims, floorDivDims } from './dims';

/** Values of a Fourier transform by its definition: `real` and `imaginary` per frequency. */
export interface Spectrum {
  readonly real: number;
  readonly imaginary: number;
}

/**
 * Sum over n of `(re[n] + i im[n]) * exp(-2 pi i k n / N)`, with the sign turned and divided by N for the inverse.
 */
export function fourierSum(
  re: (n: number) => number,
  im: (n: number) => number,
  k: number,
  length: number,
  inverse = false,
): Spectrum {
  let [real, imaginary] = [0, 0];
  for (let n = 0; n < length; n++) {
    const angle = ((inverse ? 2 : -2) * Math.PI * ((k * n) % length)) / length;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    real += re(n) * cos - im(n) * sin;
    imaginary += re(n) * sin + im(n) * cos;
  }
  return inverse ? { real: real / length, imaginary: imaginary / length } : { real, imaginary };
}

/** More terms than this are not summed up one by one. */
const MOST_TERMS = 1e8;

/** @throws RangeError for transforms that would take too long: `count` sums over `length` elements, or that make no sense */
export function requireTransform(count: number, length: number): void {
  if (!(length >= 1 && count * length <= MOST_TERMS))
    throw new RangeError(`${count} Fourier sums over ${length} elements are out of reach`);
}

/** Frequencies of a transform of `length` real elements that are not the mirror of others. */
export function onesidedExtent(length: Dim): Dim {
  return addDims(floorDivDims(length, 2), 1);
}
