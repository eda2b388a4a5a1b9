import { invertUpper, upperFactor } from '../cholesky';
import type { ProductLayer } from '../layer-inputs';
import { selectCount } from './select-masks';
import { damp } from './sparsegpt';

/** A layer that multiplies a weight, with the rows that it multiplies it by. */
export interface WeightReader {
  readonly layer: Pick<ProductLayer, 'groups' | 'units' | 'columns' | 'positions'>;
  /** `X^T X` of its rows, per group: `[groups, columns, columns]`. */
  readonly moment: Float64Array;
}

/** A weight that several layers read, each in its own orientation. */
export interface SharedProblem {
  /** In the order of the tensor. */
  readonly weights: Float32Array;
  readonly readers: readonly WeightReader[];
  /** What becomes zero: a share of all weights, or whatever a choice by worth (in the order of the tensor) leaves at 0. */
  readonly goal: { readonly sparsity: number } | { readonly choose: (worth: Float64Array) => ArrayLike<number> };
}

export interface SharedSolution {
  /** In the order of the tensor, zeros where pruned. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** Squared change of all readers' outputs beside their power. */
  readonly change: { readonly lost: number; readonly whole: number };
}

/** Rounds in which weights go: after each the rest makes up for them, and the worth of what is left is told anew. */
const ROUNDS = 8;
/** Conjugate gradients end at this share of the first residual (squared), or after so many steps. */
const TOLERANCE = 1e-16;
const MAX_STEPS = 300;

/**
 * Prunes a weight that layers read in different orientations (a tied autoencoder: `x W` and `h W^T`), where no single second
 * moment tells the damage: it is the sum over readers of `dw^T H dw`, each with its own moment along its own columns, which in
 * the example is a Kronecker sum. A weight is worth `w^2 sum over readers of 1 / [H^-1]_cc`, what the outputs lose when each
 * reader makes up for it as well as it can (optimal brain surgeon; Hassibi and Stork 1993). The kept weights are the least squares
 * solution of the sum of damages, by conjugate gradients. Weights that are zero already stay so. With one reader the
 * damage is that of `sparseGpt`.
 */
export function pruneShared({ weights, readers, goal }: SharedProblem): SharedSolution {
  const count = weights.length;
  const terms = readers.map(({ layer, moment }) => ({ layer, hessian: dampedBlocks(layer, moment) }));
  const stiffness = new Float64Array(count);
  const diagonal = new Float64Array(count);
  for (const { layer, hessian } of terms) addDiagonals(layer, hessian, stiffness, diagonal);
  const apply = (v: Float64Array) => {
    const out = new Float64Array(count);
    for (const { layer, hessian } of terms) addProduct(layer, hessian, v, out);
    return out;
  };

  const original = Float64Array.from(weights);
  const target = apply(original);
  let mask = Float64Array.from(weights, (weight) => Number(weight !== 0));
  let current = original;
  const rounds = 'choose' in goal ? 1 : ROUNDS;
  const gone = mask.reduce((sum, kept) => sum + 1 - kept, 0);
  for (let round = 1; round <= rounds; round++) {
    const scores = stiffness.map((value, at) => current[at] ** 2 * value);
    if ('choose' in goal) {
      const kept = goal.choose(scores);
      mask = mask.map((alive, at) => alive * Math.sign(kept[at]));
    } else {
      const goes = Math.floor(gone + ((Math.floor(goal.sparsity * count) - gone) * round) / rounds);
      mask = Float64Array.from(selectCount([{ scores, alive: mask }], goes, 0)[0].mask);
    }
    current = leastSquares(apply, target, diagonal, mask, current);
  }
  const result = Float32Array.from(current);
  return { weights: result, change: changeOf(readers, weights, result) };
}

/** Moments of every group as `2 X^T X` with the damping of `sparseGpt`. */
function dampedBlocks({ groups, columns }: WeightReader['layer'], moment: Float64Array): Float64Array {
  const hessian = moment.map((value) => 2 * value);
  for (let group = 0; group < groups; group++)
    damp(hessian.subarray(group * columns ** 2, (group + 1) * columns ** 2), columns);
  return hessian;
}

/** Adds `1 / [H^-1]_cc` and `H_cc` of a reader to the weights that it multiplies. */
function addDiagonals(
  { groups, units, columns, positions }: WeightReader['layer'],
  hessian: Float64Array,
  stiffness: Float64Array,
  diagonal: Float64Array,
): void {
  for (let group = 0; group < groups; group++) {
    const block = hessian.subarray(group * columns ** 2, (group + 1) * columns ** 2);
    const inverse = invertUpper(upperFactor(block, columns)!, columns);
    for (let column = 0; column < columns; column++) {
      // H^-1 = V^T V with V upper.
      let variance = 0;
      for (let k = 0; k <= column; k++) variance += inverse[k * columns + column] ** 2;
      for (let unit = 0; unit < units; unit++) {
        const at = positions[(group * units + unit) * columns + column];
        stiffness[at] += 1 / variance;
        diagonal[at] += block[column * columns + column];
      }
    }
  }
}

/** Adds `H v` of a reader, row by row of its matrix. */
function addProduct(
  { groups, units, columns, positions }: WeightReader['layer'],
  hessian: Float64Array,
  v: Float64Array,
  out: Float64Array,
): void {
  const row = new Float64Array(columns);
  for (let group = 0; group < groups; group++)
    for (let unit = 0; unit < units; unit++) {
      const from = (group * units + unit) * columns;
      for (let c = 0; c < columns; c++) row[c] = v[positions[from + c]];
      for (let c = 0; c < columns; c++) {
        const line = group * columns ** 2 + c * columns;
        let sum = 0;
        for (let k = 0; k < columns; k++) sum += hessian[line + k] * row[k];
        out[positions[from + c]] += sum;
      }
    }
}

/** Solves `H v = target` over the elements of the mask, zero elsewhere: conjugate gradients, scaled by the diagonal. */
function leastSquares(
  apply: (v: Float64Array) => Float64Array,
  target: Float64Array,
  diagonal: Float64Array,
  mask: Float64Array,
  start: Float64Array,
): Float64Array<ArrayBuffer> {
  const v = start.map((value, at) => value * mask[at]);
  const product = apply(v);
  const residual = target.map((value, at) => mask[at] * (value - product[at]));
  const scaled = () => residual.map((value, at) => value / diagonal[at]);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, at) => sum + value * b[at], 0);
  let z = scaled();
  let direction = z.slice();
  let power = dot(residual, z);
  const enough = TOLERANCE * power;
  for (let step = 0; step < MAX_STEPS && power > enough; step++) {
    const image = apply(direction).map((value, at) => value * mask[at]);
    const length = power / dot(direction, image);
    for (let at = 0; at < v.length; at++) {
      v[at] += length * direction[at];
      residual[at] -= length * image[at];
    }
    z = scaled();
    const next = dot(residual, z);
    direction = direction.map((value, at) => z[at] + (next / power) * value);
    power = next;
  }
  return v;
}

/** What all readers put out differently, and what they put out, over their rows (without damping). */
function changeOf(readers: readonly WeightReader[], before: Float32Array, after: Float32Array) {
  let [lost, whole] = [0, 0];
  for (const { layer, moment } of readers) {
    const quadratic = (v: Float64Array) => {
      const product = new Float64Array(v.length);
      addProduct(layer, moment, v, product);
      return v.reduce((sum, value, at) => sum + value * product[at], 0);
    };
    lost += quadratic(Float64Array.from(after, (value, at) => value - before[at]));
    whole += quadratic(Float64Array.from(before));
  }
  return { lost: Math.max(0, lost), whole };
}
