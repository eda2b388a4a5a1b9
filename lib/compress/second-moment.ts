import { HoneError } from '../core/error';
import { Rng } from '../core/rng';
import type { ProductLayer } from './layer-inputs';
import type { Observer } from './quantize/observer';

/** Statistics of the rows that a layer multiplies. What they remember does not grow with the number of samples. */
export interface RowStatistic extends Observer {
  /** Sums over the rows that were looked at. */
  readonly sums: Float64Array;
  /** Rows looked at of each group, and rows there were. */
  readonly rows: number;
  readonly present: number;
}

/**
 * Sums of a weight that several layers read the same way: each counts with all rows that it has, also where fewer were looked at.
 */
export function sumOfUses(statistics: readonly RowStatistic[]): Float64Array {
  if (statistics.length === 1) return statistics[0].sums;
  const scaled = statistics.map(sumsOfAll);
  return scaled[0].map((_, index) => scaled.reduce((sum, sums) => sum + sums[index], 0));
}

/** Sums as they would be over all rows. */
export function sumsOfAll({ sums, rows, present }: RowStatistic): Float64Array {
  return rows === present ? sums : sums.map((sum) => (sum * present) / rows);
}

/** Which rows of every batch are looked at. */
export interface RowSampling {
  /** Most rows per entry of the input's first axis (the samples); others are left out at random. All when undefined. */
  readonly rowsPerSample?: number;
  readonly seed?: number;
}

/**
 * `X^T X` of the rows of a layer that were looked at (the second moment times their number), per group: `[groups, columns, columns]`.
 */
export class SecondMoment implements RowStatistic {
  rows = 0;
  present = 0;
  /** Symmetric, row-major, one block of `columns * columns` per group. */
  readonly sums: Float64Array<ArrayBuffer>;
  private readonly layer: ProductLayer;
  private readonly choose: RowChooser;

  constructor(layer: ProductLayer, sampling: RowSampling = {}) {
    this.layer = layer;
    this.sums = new Float64Array(layer.groups * layer.columns ** 2);
    this.choose = chooser(layer, sampling);
  }

  observe(data: Float32Array, dims: readonly number[]): void {
    const { groups, columns } = this.layer;
    const chosen = this.choose(dims);
    const x = this.layer.rows(data, dims, chosen);
    const count = x.length / groups / columns;
    for (let group = 0; group < groups; group++) {
      const block = this.sums.subarray(group * columns ** 2, (group + 1) * columns ** 2);
      for (let row = 0; row < count; row++) {
        const at = (group * count + row) * columns;
        addOuterProduct(block, x.subarray(at, at + columns));
      }
    }
    mirror(this.sums, groups, columns);
    requireFinite(this.sums, this.layer);
    this.rows += count;
    this.present += this.layer.rowsIn(dims);
  }
}

/** Sum of squares of every column of a layer's rows: `[groups, columns]`. */
export class ColumnPower implements RowStatistic {
  rows = 0;
  present = 0;
  readonly sums: Float64Array<ArrayBuffer>;
  private readonly layer: ProductLayer;
  private readonly choose: RowChooser;

  constructor(layer: ProductLayer, sampling: RowSampling = {}) {
    this.layer = layer;
    this.sums = new Float64Array(layer.groups * layer.columns);
    this.choose = chooser(layer, sampling);
  }

  observe(data: Float32Array, dims: readonly number[]): void {
    const { groups, columns } = this.layer;
    const x = this.layer.rows(data, dims, this.choose(dims));
    const count = x.length / groups / columns;
    for (let group = 0, at = 0; group < groups; group++) {
      const sums = this.sums.subarray(group * columns, (group + 1) * columns);
      for (let row = 0; row < count; row++)
        for (let column = 0; column < columns; column++) sums[column] += x[at++] ** 2;
    }
    requireFinite(this.sums, this.layer);
    this.rows += count;
    this.present += this.layer.rowsIn(dims);
  }
}

export type RowChooser = (dims: readonly number[]) => Uint32Array | undefined;

/** Chooses rows at random, sample by sample; the same stream of batches gives the same rows. */
export function chooser(layer: ProductLayer, { rowsPerSample, seed = 0 }: RowSampling): RowChooser {
  const rng = new Rng(seed);
  return (dims) => {
    const rows = layer.rowsIn(dims);
    const samples = Math.max(1, dims[0]);
    const places = rows / samples;
    if (rowsPerSample === undefined || places <= rowsPerSample || !Number.isInteger(places)) return undefined;
    const chosen = new Uint32Array(samples * rowsPerSample);
    for (let sample = 0; sample < samples; sample++) {
      const order = rng.permutation(places).subarray(0, rowsPerSample).sort();
      order.forEach((place, k) => {
        chosen[sample * rowsPerSample + k] = sample * places + place;
      });
    }
    return chosen;
  };
}

/** Adds `x x^T` to the upper triangle of a square matrix; rows of activations are often half zeros. */
function addOuterProduct(matrix: Float64Array, x: Float32Array): void {
  const extent = x.length;
  for (let i = 0; i < extent; i++) {
    const value = x[i];
    if (value === 0) continue;
    const at = i * extent;
    for (let j = i; j < extent; j++) matrix[at + j] += value * x[j];
  }
}

/** Copies the upper triangle of every block to the lower one. */
function mirror(sums: Float64Array, groups: number, extent: number): void {
  for (let group = 0; group < groups; group++) {
    const block = sums.subarray(group * extent ** 2, (group + 1) * extent ** 2);
    for (let i = 0; i < extent; i++) for (let j = 0; j < i; j++) block[i * extent + j] = block[j * extent + i];
  }
}

/** @throws E_CALIBRATION when a sum is NaN or infinite */
function requireFinite(sums: Float64Array, { input }: ProductLayer): void {
  if (sums.every(Number.isFinite)) return;
  throw new HoneError('E_CALIBRATION', { value: input, reason: 'its elements are not all finite' });
}
