import { invertUpper, solveFactored, upperFactor } from '../cholesky';
import { selectCount } from './select-masks';

/** Weights of one group of a layer, which are pruned together. */
export interface SparseProblem {
  /** `[units, columns]`. */
  readonly weights: Float32Array;
  readonly units: number;
  readonly columns: number;
  /** `X^T X` of the rows that the weights multiply, `[columns, columns]`. */
  readonly moment: Float64Array;
  /** 0 for weights that are gone already and stay so. */
  readonly alive?: ArrayLike<number>;
  /** What becomes zero: a share of all weights, or N:M along lines of columns (see `selectBlocks`). */
  readonly goal: { readonly sparsity: number } | { readonly keep: number; readonly of: number; readonly lines: Lines };
}

type Lines = readonly (readonly number[])[];

export interface SparseSolution {
  /** `[units, columns]`, zeros where pruned. */
  readonly weights: Float32Array<ArrayBuffer>;
  readonly change: OutputChange;
}

/** What a change of weights does to what a layer puts out (before the bias), over the rows behind a moment. */
export interface OutputChange {
  /** `|X W - X W'|^2`. */
  readonly lost: number;
  /** `|X W|^2`. */
  readonly whole: number;
}

/** Columns after which the choice among the rest is made anew (`B_s` of the paper). */
const BLOCK = 128;
/** Part of the mean diagonal that is added to all of it. */
const DAMPING = 0.01;
/** Multiplications that the final least squares may cost; beyond, the weights stay as the error feedback has left them. */
const RESOLVE_LIMIT = 2e10;

/**
 * Removes weights one column after another and lets the columns behind take over what is lost: SparseGPT (Frantar and Alistarh
 * 2023, algorithm 1), that is Optimal Brain Compression (2022) with one order of columns for all units. `H = 2 X^T X` with 1 % of
 * its mean diagonal added; the choice follows `w^2 / [H^-1]_jj` of the columns still to come, renewed every 128 columns, so that
 * the whole group, not every block, loses the share asked for. The kept weights of every unit are then the least squares solution
 * for what was removed, which the paper leaves at one pass. Time grows with `columns^3 + units * columns^2`, memory with
 * `columns^2`.
 */
export function sparseGpt(problem: SparseProblem): SparseSolution {
  const { units, columns, goal } = problem;
  const order = 'lines' in goal ? goal.lines.flat() : Array.from({ length: columns }, (_, column) => column);
  const hessian = damped(problem.moment, columns, order);
  const inverse = invertUpper(upperFactor(hessian, columns)!, columns);
  const work = new Float64Array(units * columns);
  const alive = new Uint8Array(units * columns);
  for (let unit = 0; unit < units; unit++)
    order.forEach((column, place) => {
      work[unit * columns + place] = problem.weights[unit * columns + column];
      alive[unit * columns + place] = Number(problem.alive?.[unit * columns + column] !== 0);
    });
  const silent = Uint8Array.from(order, (column) => Number(problem.moment[column * columns + column] === 0));
  const before = work.slice();
  const mask = new Uint8Array(units * columns).fill(1);
  const choose = 'lines' in goal ? blockChooser(goal) : budgetChooser(goal.sparsity);
  for (let place = 0; place < columns; place++) {
    choose({ work, alive, silent, mask, inverse, units, columns, place });
    for (let unit = 0; unit < units; unit++) {
      if (mask[unit * columns + place] === 0) passOn(work, unit * columns, inverse, columns, place);
    }
  }
  resolve(work, before, mask, hessian, units, columns);

  const weights = new Float32Array(units * columns);
  for (let unit = 0; unit < units; unit++)
    order.forEach((column, place) => {
      weights[unit * columns + column] = work[unit * columns + place];
    });
  return { weights, change: outputChange(problem.weights, weights, problem.moment, units, columns) };
}

/** Compares weights `[units, columns]` by the outputs that they give on the rows behind `moment`. */
export function outputChange(
  before: Float32Array,
  after: Float32Array,
  moment: Float64Array,
  units: number,
  columns: number,
): OutputChange {
  let [lost, whole] = [0, 0];
  for (let unit = 0; unit < units; unit++) {
    const [from, to] = [unit * columns, (unit + 1) * columns];
    const w = before.subarray(from, to);
    const difference = after.subarray(from, to).map((value, index) => value - w[index]);
    lost += quadratic(moment, columns, difference);
    whole += quadratic(moment, columns, w);
  }
  return { lost: Math.max(0, lost), whole };
}

interface Sweep {
  readonly work: Float64Array;
  readonly alive: Uint8Array;
  /** 1 for columns whose input is always zero. */
  readonly silent: Uint8Array;
  readonly mask: Uint8Array;
  readonly inverse: Float64Array;
  readonly units: number;
  readonly columns: number;
  /** Column that comes next, in the order of the sweep. */
  readonly place: number;
}

/** Before every block: of all weights from there on, those of least saliency go, as many as are still to go; the block's are noted. */
function budgetChooser(sparsity: number): (sweep: Sweep) => void {
  let gone = 0;
  return (sweep) => {
    const { units, columns, place, mask } = sweep;
    if (place % BLOCK !== 0) return;
    const rest = columns - place;
    const scores = new Float64Array(units * rest);
    for (let unit = 0; unit < units; unit++)
      for (let k = 0; k < rest; k++) scores[unit * rest + k] = saliency(sweep, unit, place + k);
    const goal = Math.floor(sparsity * units * columns) - gone;
    const [{ mask: chosen }] = selectCount([{ scores }], goal, 0);
    for (let unit = 0; unit < units; unit++)
      for (let k = 0; k < Math.min(BLOCK, rest); k++) {
        const kept = chosen[unit * rest + k] !== 0 && scores[unit * rest + k] >= 0;
        mask[unit * columns + place + k] = Number(kept);
        if (!kept) gone++;
      }
  };
}

/** Before every N:M block of columns: the weights of highest saliency of each unit stay. */
function blockChooser({ keep, of, lines }: { keep: number; of: number; lines: Lines }): (sweep: Sweep) => void {
  const ends = new Map<number, number>();
  let start = 0;
  for (const { length } of lines) {
    for (let k = 0; k < length; k += of) ends.set(start + k, start + Math.min(k + of, length));
    start += length;
  }
  return (sweep) => {
    const { units, columns, place, mask } = sweep;
    const end = ends.get(place);
    if (end === undefined) return;
    const block = Array.from({ length: end - place }, (_, k) => place + k);
    for (let unit = 0; unit < units; unit++) {
      const worth = new Map(block.map((column) => [column, saliency(sweep, unit, column)]));
      const sorted = block.toSorted((a, b) => worth.get(b)! - worth.get(a)!);
      for (const [rank, column] of sorted.entries())
        mask[unit * columns + column] = Number(rank < keep && worth.get(column)! >= 0);
    }
  };
}

/**
 * `w^2 / [H^-1]_jj` of the columns that are left; 0 for weights of inputs that are always zero, negative for weights that are gone
 * already.
 */
function saliency({ work, alive, silent, inverse, columns }: Sweep, unit: number, place: number): number {
  if (alive[unit * columns + place] === 0) return -1;
  if (silent[place] !== 0) return 0;
  return (work[unit * columns + place] / inverse[place * columns + place]) ** 2;
}

/** Removes one weight and spreads its error over the columns behind it. */
function passOn(work: Float64Array, row: number, inverse: Float64Array, columns: number, place: number): void {
  const error = work[row + place] / inverse[place * columns + place];
  work[row + place] = 0;
  if (error === 0) return;
  for (let k = place + 1; k < columns; k++) work[row + k] -= error * inverse[place * columns + k];
}

/** The kept weights of every unit by least squares: `w_S + H_SS^-1 H_SP w_P` with kept columns S and pruned ones P. */
function resolve(
  work: Float64Array,
  before: Float64Array,
  mask: Uint8Array,
  hessian: Float64Array,
  units: number,
  columns: number,
): void {
  const keptBy = Array.from({ length: units }, (_, unit) => {
    const kept: number[] = [];
    for (let k = 0; k < columns; k++) if (mask[unit * columns + k] !== 0) kept.push(k);
    return kept;
  });
  if (keptBy.reduce((sum, { length }) => sum + length ** 3 / 3, 0) > RESOLVE_LIMIT) return;
  keptBy.forEach((kept, unit) => {
    const extent = kept.length;
    if (extent === 0 || extent === columns) return;
    const part = new Float64Array(extent * extent);
    const missing = new Float64Array(extent);
    const row = unit * columns;
    kept.forEach((column, i) => {
      const line = hessian.subarray(column * columns, (column + 1) * columns);
      for (let j = i; j < extent; j++) part[i * extent + j] = line[kept[j]];
      for (let k = 0; k < columns; k++) if (mask[row + k] === 0) missing[i] += line[k] * before[row + k];
    });
    solveFactored(upperFactor(part, extent)!, extent, missing);
    kept.forEach((column, i) => {
      work[row + column] = before[row + column] + missing[i];
    });
  });
}

/** `2 X^T X` with its columns in another order and a part of the mean diagonal added. */
function damped(moment: Float64Array, columns: number, order: readonly number[]): Float64Array<ArrayBuffer> {
  const hessian = new Float64Array(columns * columns);
  order.forEach((from, i) => {
    order.forEach((to, j) => {
      hessian[i * columns + j] = 2 * moment[from * columns + to];
    });
  });
  damp(hessian, columns);
  return hessian;
}

/** Adds a part of its mean diagonal to the diagonal of a square matrix, in place. */
export function damp(hessian: Float64Array, columns: number): void {
  let trace = 0;
  for (let i = 0; i < columns; i++) trace += hessian[i * columns + i];
  // Inputs that are always zero leave nothing to lean on: any number keeps the factor defined.
  const damping = trace > 0 ? (DAMPING * trace) / columns : 1;
  for (let i = 0; i < columns; i++) hessian[i * columns + i] += damping;
}

function quadratic(moment: Float64Array, columns: number, vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < columns; i++) {
    if (vector[i] === 0) continue;
    let inner = 0;
    for (let j = 0; j < columns; j++) inner += moment[i * columns + j] * vector[j];
    sum += inner * vector[i];
  }
  return sum;
}
