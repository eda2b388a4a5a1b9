import type { Graph } from '../../ir/graph';
import { elementCount, tensorFrom } from '../../ir/tensor';
import { isRecurrent } from '../../ops/facts';
import { invertUpper, solveFactored, upperFactor } from '../cholesky';
import { type ProductLayer, productLayer } from '../layer-inputs';
import type { MethodContext } from '../method';
import { first } from '../prune/measure-scores';
import { collect } from '../quantize/calibrate';
import type { Observer } from '../quantize/observer';
import { SecondMoment } from '../second-moment';
import type { Group } from './dependencies';

/** Columns beyond which a second moment takes too long to gather and to invert. */
const COLUMN_LIMIT = 2048;
/** Rows that a moment is made of, in columns. */
const ROWS_PER_COLUMN = 8;
/** Added to the diagonal of a moment, in means of the diagonal. */
const DAMPING = 0.01;

/**
 * Error that the layers behind a unit make without it, relative to the power of their outputs and after their other weights
 * have made up for it as well as they can: `sum over outputs of w_c [(M^-1)_cc]^-1 w_c^T` for the columns `c` of the unit and the
 * second moment `M` of the inputs (optimal brain surgeon of a block; Hassibi and Stork 1993, Frantar and Alistarh 2022). No labels
 * are needed. Per group: by the place of a weight tensor among the members of its units, for those that this can be told of.
 */
export async function outputErrors(
  graph: Graph,
  groups: readonly Group[],
  samples: number,
  { data, evaluate, signal, seed }: MethodContext,
): Promise<ReadonlyMap<number, Float64Array>[]> {
  const dataset = first(data.calibration, samples);
  const readers = new Map<string, { layer: ProductLayer; moment: SecondMoment }[]>();
  const requests = new Map<string, Observer[]>();
  for (const node of graph.nodes) {
    const layer = isRecurrent(node) ? '' : productLayer(graph, node);
    if (typeof layer === 'string' || layer.groups !== 1 || layer.columns > COLUMN_LIMIT) continue;
    const rowsPerSample = Math.ceil((ROWS_PER_COLUMN * layer.columns) / dataset.count);
    const moment = new SecondMoment(layer, { rowsPerSample, seed });
    readers.set(layer.weight, [...(readers.get(layer.weight) ?? []), { layer, moment }]);
    requests.set(layer.input, [...(requests.get(layer.input) ?? []), moment]);
  }
  await collect(graph, dataset, requests, { evaluate, ...(signal && { signal }) });
  const costs = new Map<ProductLayer, (columns: readonly number[]) => number>();
  return groups.map(({ units }) => {
    const errors = new Map<number, Float64Array>();
    units[0].members.forEach((member, index) => {
      // Layers that share weights each make an error of their own; an axis that counts inputs of one may count outputs of another.
      for (const { layer, moment } of readers.get(member.value) ?? []) {
        const columns = columnsAlong(layer, member.axis);
        if (!columns) continue;
        const cost = costs.get(layer) ?? costOf(graph, layer, moment.sums);
        costs.set(layer, cost);
        const before = errors.get(index);
        errors.set(
          index,
          Float64Array.from(units, ({ members }, unit) => {
            const own = cost(members[index].indices.flatMap((at) => columns[at]));
            return own + (before?.[unit] ?? 0);
          }),
        );
      }
    });
    return errors;
  });
}

/** Columns of a layer's matrix per index of an axis of its weights; undefined when the axis counts rows. */
function columnsAlong(layer: ProductLayer, axis: number): readonly (readonly number[])[] | undefined {
  const { units, columns } = layer;
  const { dims } = layer.tensor(new Float32Array(units * columns));
  const inner = elementCount(dims.slice(axis + 1));
  const indices = Array.from({ length: elementCount(dims) }, (_, at) => Math.floor(at / inner) % dims[axis]);
  const matrix = layer.matrix(tensorFrom('float32', dims, indices)).subarray(0, columns);
  if (matrix.every((index) => index === matrix[0])) return undefined;
  const lists = Array.from({ length: dims[axis] }, (): number[] => []);
  matrix.forEach((index, column) => {
    lists[index].push(column);
  });
  return lists;
}

/** Relative error of a layer's outputs without some of its columns. */
function costOf(graph: Graph, layer: ProductLayer, sums: Float64Array): (columns: readonly number[]) => number {
  const { columns, units } = layer;
  const w = layer.matrix(graph.initializers.get(layer.weight)!);
  let power = 0;
  for (let unit = 0; unit < units; unit++)
    for (let i = 0; i < columns; i++) {
      const at = unit * columns;
      if (w[at + i] === 0) continue;
      let inner = 0;
      for (let j = 0; j < columns; j++) inner += w[at + j] * sums[i * columns + j];
      power += w[at + i] * inner;
    }
  const damped = sums.slice();
  let trace = 0;
  for (let i = 0; i < columns; i++) trace += sums[i * columns + i];
  for (let i = 0; i < columns; i++) damped[i * columns + i] += (DAMPING * trace) / columns || 1;
  const factor = upperFactor(damped, columns);
  const inverse = factor && invertUpper(factor, columns);
  return (chosen) => {
    if (!inverse || power === 0) return 0;
    const size = chosen.length;
    const block = new Float64Array(size * size);
    // A^-1 = V^T V with V upper: only rows up to the smaller index take part.
    chosen.forEach((a, i) => {
      chosen.forEach((b, j) => {
        let sum = 0;
        for (let k = 0; k <= Math.min(a, b); k++) sum += inverse[k * columns + a] * inverse[k * columns + b];
        block[i * size + j] = sum;
      });
    });
    const part = upperFactor(block, size);
    if (!part) return 0;
    let error = 0;
    for (let unit = 0; unit < units; unit++) {
      const own = Float64Array.from(chosen, (column) => w[unit * columns + column]);
      const solved = own.slice();
      solveFactored(part, size, solved);
      for (let i = 0; i < size; i++) error += own[i] * solved[i];
    }
    return error / power;
  };
}
