import { roundHalfToEven } from '../../core/half';
import type { LayerChoices } from './quantize-options';

// Local names: a look-up of the global object per weight is slow inside module sandboxes.
const { abs, fround, max, min } = Math;

/** Grid of weights that share a scale: `real = (code - zeroPoint) * scale`. */
export interface WeightGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** What decides over the grid of some weights. */
export type GridChoices = Pick<LayerChoices, 'scheme' | 'weightBits' | 'weightRange'>;

/** Steps of the search for the range with the smallest error: it is tried at 1/64, 2/64, ... of the whole one. */
const SEARCH_STEPS = 64;
/** The search stops at this part of the whole range: a smaller one has never been best. */
const SMALLEST_PART = 0.2;

/**
 * Smallest and largest code of a scheme. Schemes around zero or the mean use as many codes on both sides, so that 8 bits reach
 * from -127 to 127; `affine` uses all of them.
 */
export function codeRange({
  scheme,
  weightBits,
}: Pick<GridChoices, 'scheme' | 'weightBits'>): readonly [number, number] {
  const half = 2 ** (weightBits - 1);
  return [scheme === 'affine' ? -half : 1 - half, half - 1];
}

/**
 * The grid of a scheme for `weights`; undefined when all of them are zero. Zero is on every grid.
 * - `symmetric`: `s = max|w| / (2^(b-1) - 1)`
 * - `affine`: `s = (max - min) / (2^b - 1)` with `min <= 0 <= max`, the zero point where the grid meets zero
 * - `mean-centred`: code 0 at the mean m (up to half a step), the finest scale that reaches all weights from there; symmetric where
 *   that is finer, as it is for a mean near zero
 * - `power-of-two`: `s = 2^-(b - 1 - ceil(log2 max|w|))`
 * With `weightRange: mse` (or `auto` below 8 bits) the range is narrowed to the one with the smallest squared error.
 */
export function fitGrid(weights: Float32Array, choices: GridChoices): WeightGrid | undefined {
  const full = fullGrid(weights, choices);
  if (full === undefined || !searches(choices)) return full;
  const codes = codeRange(choices);
  const parts =
    choices.scheme === 'power-of-two'
      ? [1, 0.5, 0.25]
      : Array.from({ length: SEARCH_STEPS }, (_, step) => 1 - step / SEARCH_STEPS).filter(
          (part) => part >= SMALLEST_PART,
        );
  let best = full;
  let bestError = squaredError(weights, full, codes);
  for (const part of parts) {
    const grid = gridOf(extremesOf(weights), part, choices);
    const error = squaredError(weights, grid, codes);
    if (error < bestError) [best, bestError] = [grid, error];
  }
  return best;
}

function searches({ weightRange, weightBits }: GridChoices): boolean {
  return weightRange === 'mse' || (weightRange === 'auto' && weightBits < 8);
}

function fullGrid(weights: Float32Array, choices: GridChoices): WeightGrid | undefined {
  const extremes = extremesOf(weights);
  return extremes.low === 0 && extremes.high === 0 ? undefined : gridOf(extremes, 1, choices);
}

interface Extremes {
  /** Smallest and largest weight, zero included. */
  readonly low: number;
  readonly high: number;
  readonly mean: number;
}

function extremesOf(weights: Float32Array): Extremes {
  let [low, high, sum] = [0, 0, 0];
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] < low) low = weights[i];
    if (weights[i] > high) high = weights[i];
    sum += weights[i];
  }
  return { low, high, mean: sum / weights.length };
}

/** The grid that reaches `part` of the way to the extremes. */
function gridOf(extremes: Extremes, part: number, { scheme, weightBits }: GridChoices): WeightGrid {
  const [smallest, largest] = codeRange({ scheme, weightBits });
  const [low, high] = [extremes.low * part, extremes.high * part];
  const size = max(-low, high);
  switch (scheme) {
    case 'symmetric':
      return { scale: size / largest, zeroPoint: 0 };
    case 'power-of-two':
      return { scale: 2 ** -(weightBits - 1 - Math.ceil(Math.log2(size))), zeroPoint: 0 };
    case 'affine': {
      const scale = (high - low) / (largest - smallest);
      return { scale, zeroPoint: limit(Math.round(-low / scale) + smallest, smallest, largest) };
    }
    case 'mean-centred': {
      const { mean } = extremes;
      const reach = max(extremes.high - mean, mean - extremes.low) * part;
      const zeroPoint = limit(Math.round((-mean * largest) / max(reach, abs(mean))), smallest, largest);
      // The finest scale whose codes reach both ends from there.
      const scaleAt = (zero: number) =>
        max(low < 0 ? -low / (largest + zero) : 0, high > 0 ? high / (largest - zero) : 0);
      const [centred, symmetric] = [scaleAt(zeroPoint), scaleAt(0)];
      return centred < symmetric ? { scale: centred, zeroPoint } : { scale: symmetric, zeroPoint: 0 };
    }
  }
}

function squaredError(weights: Float32Array, grid: WeightGrid, [low, high]: readonly [number, number]): number {
  const scale = fround(grid.scale);
  const { zeroPoint } = grid;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const steps = min(high - zeroPoint, max(low - zeroPoint, roundHalfToEven(weights[i] / scale)));
    sum += (weights[i] - steps * scale) ** 2;
  }
  return sum;
}

function limit(x: number, low: number, high: number): number {
  return min(high, max(low, x));
}
