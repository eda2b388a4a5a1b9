import type { Dataset } from '../../ir/dataset';
import type { Graph, Node } from '../../ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import { isRecurrent, layerOf, takesBias } from '../../ops/facts';
import { solveFactored, upperFactor } from '../cholesky';
import { type TensorRepair, tensorRepair } from '../keep-if-better';
import { type ProductLayer, productLayer } from '../layer-inputs';
import type { MethodContext } from '../method';
import { collect } from '../quantize/calibrate';
import type { Observer } from '../quantize/observer';
import { SecondMoment } from '../second-moment';
import { type KeptIndices, takeIndices } from './remove-units';

/** Columns beyond which a second moment takes too long to gather and to factorize. */
const COLUMN_LIMIT = 4096;
/** Rows that a moment is made of, in columns. */
const ROWS_PER_COLUMN = 8;
/** Added to the diagonal of a moment, in means of the diagonal. */
const DAMPING = 1e-3;

/**
 * Repairs of `pruned` (the graph `before` without some channels): each layer that lost inputs gets the weights and bias with which
 * it comes nearest to what it computed before, by least squares over the inputs of the samples (He et al. 2017, "Channel
 * pruning for accelerating very deep neural networks"). Layers with groups or shared weights have none; those without a bias to
 * move keep it. By node name.
 * @throws E_CALIBRATION, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function refitWeights(
  before: Graph,
  pruned: Graph,
  kept: KeptIndices,
  dataset: Dataset,
  { evaluate, signal, onProgress, seed }: MethodContext,
): Promise<readonly TensorRepair[]> {
  const layers = before.nodes.flatMap((node) => {
    const layer = narrowed(before, node, kept);
    if (!layer) return [];
    const rowsPerSample = Math.ceil((ROWS_PER_COLUMN * layer.columns) / dataset.count);
    return [{ layer, moment: new SecondMoment(withOnes(layer), { rowsPerSample, seed }) }];
  });
  if (layers.length === 0) return [];
  const requests = new Map<string, Observer[]>();
  for (const { layer, moment } of layers) requests.set(layer.input, [...(requests.get(layer.input) ?? []), moment]);
  await collect(before, dataset, requests, {
    evaluate,
    ...(signal && { signal }),
    onBatch: (done, total) => onProgress?.('measure layer inputs', done, total),
  });
  return layers.flatMap(({ layer, moment }) => {
    const tensors = solve(before, pruned, layer, kept, moment.sums);
    return tensors ? [tensorRepair(layer.node.name, tensors)] : [];
  });
}

/** The node as a product that lost columns and can be solved; undefined otherwise. */
function narrowed(graph: Graph, node: Node, kept: KeptIndices): ProductLayer | undefined {
  const weight = node.inputs[1] ?? '';
  if (!graph.initializers.has(weight) || !kept.has(node.inputs[0]) || !kept.has(weight)) return undefined;
  if (graph.nodes.filter(({ inputs }) => inputs.includes(weight)).length > 1) return undefined;
  if ((layerOf(node)?.factors?.product ?? 1) !== 1 || isRecurrent(node)) return undefined;
  const layer = productLayer(graph, node);
  if (typeof layer === 'string' || layer.groups !== 1 || layer.columns > COLUMN_LIMIT) return undefined;
  return layer;
}

/** The layer with a last column of ones, so that the moment holds means too. */
function withOnes(layer: ProductLayer): ProductLayer {
  const columns = layer.columns + 1;
  return {
    ...layer,
    columns,
    rows: (data, dims, chosen) => {
      const rows = layer.rows(data, dims, chosen);
      const count = rows.length / layer.columns;
      const out = new Float32Array(count * columns).fill(1);
      for (let row = 0; row < count; row++)
        out.set(rows.subarray(row * layer.columns, (row + 1) * layer.columns), row * columns);
      return out;
    },
  };
}

/** New weights and bias: for each unit `w' = w M[:, S] M[S, S]^-1` over the columns S that stay. */
function solve(
  before: Graph,
  pruned: Graph,
  layer: ProductLayer,
  kept: KeptIndices,
  sums: Float64Array,
): ReadonlyMap<string, Tensor> | undefined {
  const { node, units, columns, weight } = layer;
  const after = productLayer(pruned, pruned.nodes.find(({ name }) => name === node.name)!);
  if (typeof after === 'string' || after.columns === columns) return undefined;
  const origin = (element: (unit: number, column: number) => number): Float32Array => {
    const numbers = Float32Array.from({ length: units * columns }, (_, at) =>
      element(Math.floor(at / columns), at % columns),
    );
    return after.matrix(takeIndices(layer.tensor(numbers), kept.get(weight)!));
  };
  const rows = origin((unit) => unit);
  const stay = Array.from(origin((_, column) => column).subarray(0, after.columns));
  const bias = biasOf(before, node);
  const chosen = bias ? [...stay, columns] : stay;
  const size = columns + 1;
  const extent = chosen.length;
  const inner = new Float64Array(extent * extent);
  chosen.forEach((row, i) => {
    chosen.forEach((column, j) => {
      inner[i * extent + j] = sums[row * size + column];
    });
  });
  const damping = (DAMPING * stay.reduce((sum, column) => sum + sums[column * size + column], 0)) / stay.length;
  for (let i = 0; i < stay.length; i++) inner[i * extent + i] += damping;
  const factor = upperFactor(inner, extent);
  if (!factor) return undefined;
  const old = layer.matrix(before.initializers.get(weight)!);
  const matrix = new Float32Array(after.units * after.columns);
  const shifts = new Float32Array(after.units);
  for (let unit = 0; unit < after.units; unit++) {
    const from = rows[unit * after.columns];
    const w = old.subarray(from * columns, (from + 1) * columns);
    // Against the old weights: a part that needs no change is not pulled towards zero by the damping.
    const change = Float64Array.from(w);
    for (const column of stay) change[column] = 0;
    const right = Float64Array.from(chosen, (column) => dot(change, sums, column * size));
    solveFactored(factor, extent, right);
    for (let i = 0; i < stay.length; i++) matrix[unit * after.columns + i] = w[stay[i]] + right[i];
    if (bias) shifts[unit] = right[stay.length];
  }
  const tensors = new Map<string, Tensor>([[weight, after.tensor(matrix)]]);
  if (bias) {
    const current = viewAs(pruned.initializers.get(bias)!, 'float32');
    tensors.set(
      bias,
      tensorOf(
        'float32',
        pruned.initializers.get(bias)!.dims,
        current.map((value, unit) => value + shifts[unit]),
      ),
    );
  }
  return tensors;
}

/** Name of the bias, one element per unit and of no other layer. */
function biasOf(graph: Graph, node: Node): string | undefined {
  const name = node.inputs[2] ?? '';
  const tensor = graph.initializers.get(name);
  if (!takesBias(node) || tensor?.type !== 'float32' || tensor.dims.length !== 1) return undefined;
  if ((layerOf(node)?.factors?.bias ?? 1) !== 1) return undefined;
  return graph.nodes.filter(({ inputs }) => inputs.includes(name)).length === 1 ? name : undefined;
}

function dot(weights: Float64Array, sums: Float64Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] * sums[at + i];
  return sum;
}
