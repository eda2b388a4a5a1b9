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

/** A transform as a product with a constant matrix. */
export interface Transform {
  readonly length: number;
  /** Elements that are there: beyond them there are zeros. */
  readonly terms: number;
  /** 1 for real elements, 2 for complex ones. */
  readonly parts: number;
  readonly frequencies: number;
  readonly inverse?: boolean;
  /** Factor of each element. */
  readonly window?: ArrayLike<number> | undefined;
}

/** Most elements of a matrix, 64 MiB of floats: a longer transform wants another algorithm. */
const MOST_ELEMENTS = 2 ** 24;

/** Whether the matrix of a transform is of a size that may lie in memory. */
export function hasMatrix({ length, terms, parts, frequencies }: Transform): boolean {
  return length >= 1 && 2 * frequencies * terms * parts <= MOST_ELEMENTS;
}

/** The matrix [part, frequency, element, part] of a transform, row-major: what `fourierSum` multiplies by. */
export function fourierMatrix({ length, terms, parts, frequencies, inverse, window }: Transform): Float32Array {
  const angles = Array.from({ length }, (_, i) => ((inverse ? 2 : -2) * Math.PI * i) / length);
  const [cos, sin] = [angles.map(Math.cos), angles.map(Math.sin)];
  const matrix = new Float32Array(2 * frequencies * terms * parts);
  for (let k = 0; k < frequencies; k++)
    for (let n = 0; n < terms; n++) {
      const factor = (window?.[n] ?? 1) / (inverse ? length : 1);
      const turn = (k * n) % length;
      for (const [row, ofReal, ofImaginary] of [
        [k, cos[turn], -sin[turn]],
        [frequencies + k, sin[turn], cos[turn]],
      ]) {
        const place = (row * terms + n) * parts;
        matrix[place] = factor * ofReal;
        if (parts === 2) matrix[place + 1] = factor * ofImaginary;
      }
    }
  return matrix;
}
