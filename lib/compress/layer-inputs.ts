import { attribute } from '../ir/attribute';
import type { Graph, Node } from '../ir/graph';
import { elementCount, type Tensor, tensorOf, viewAs } from '../ir/tensor';
import { adjointSpatial } from '../ops/conv-transpose';
import { resolveSpatial, type Tap, windowTaps } from '../ops/spatial';

/**
 * A layer with constant weights as a matrix product: before its bias, output unit `u` of group `g` at one place is
 * `sum over columns c of x[g, row, c] * w[g, u, c]`, where a row holds all that the unit sees at that place (an im2col patch of
 * a convolution). The `alpha` of a Gemm is left out.
 */
export interface ProductLayer {
  readonly node: Node;
  /** Initializer that holds the weights. */
  readonly weight: string;
  /** The activation that is multiplied. */
  readonly input: string;
  /** Convolution groups, or directions of a recurrent layer. */
  readonly groups: number;
  /** Output units of each group. */
  readonly units: number;
  /** Weights of each unit. */
  readonly columns: number;
  /** Where the weight tensor holds each element of the matrix `[groups, units, columns]`. */
  readonly positions: Uint32Array;
  /** A weight tensor of the layer as that matrix. */
  matrix(weights: Tensor): Float32Array<ArrayBuffer>;
  /** Inverse of `matrix`. */
  tensor(matrix: Float32Array): Tensor;
  /** Rows of each group for an input of these extents: samples times places. */
  rowsIn(dims: readonly number[]): number;
  /**
   * The rows that are multiplied when the input is `data` of extents `dims`: all of them, sample by sample and place by place
   * in output order, or those at the indices `chosen`. Group by group: `[groups, rows, columns]`.
   */
  rows(data: Float32Array, dims: readonly number[], chosen?: Uint32Array): Float32Array<ArrayBuffer>;
}

/** How one operator lays out weights and rows. */
interface Form {
  readonly groups: number;
  readonly units: number;
  readonly columns: number;
  /** Where the weight tensor holds element `[group, unit, column]`. */
  readonly position: (group: number, unit: number, column: number) => number;
  readonly rowsIn: (dims: readonly number[]) => number;
  /** Writes one row of one group to `out` at `to`, where zeros stand. */
  readonly copyRow: (
    data: Float32Array,
    dims: readonly number[],
    group: number,
    row: number,
    out: Float32Array,
    to: number,
  ) => void;
}

/**
 * The product that input `index` of `node` is the weight of, or why it is none: recurrent weights multiply a hidden state,
 * for example, which is no value of the graph.
 */
export function productLayer(graph: Graph, node: Node, index = 1): ProductLayer | string {
  const weight = node.inputs[index] ?? '';
  const tensor = graph.initializers.get(weight);
  if (tensor?.type !== 'float32') return `its weights '${weight}' are no float32 constants`;
  const form = formOf(node, index, tensor.dims);
  if (typeof form === 'string') return form;
  const { groups, units, columns, position, rowsIn, copyRow } = form;
  const positions = new Uint32Array(groups * units * columns);
  for (let group = 0, at = 0; group < groups; group++)
    for (let unit = 0; unit < units; unit++)
      for (let column = 0; column < columns; column++) positions[at++] = position(group, unit, column);
  return {
    node,
    weight,
    input: node.inputs[0],
    groups,
    units,
    columns,
    positions,
    matrix: (weights) => {
      const data = viewAs(weights, 'float32');
      return Float32Array.from(positions, (position) => data[position]);
    },
    tensor: (matrix) => {
      const data = new Float32Array(positions.length);
      positions.forEach((position, at) => {
        data[position] = matrix[at];
      });
      return tensorOf('float32', tensor.dims, data);
    },
    rowsIn,
    rows: (data, dims, chosen) => {
      const count = chosen?.length ?? rowsIn(dims);
      const out = new Float32Array(groups * count * columns);
      for (let group = 0; group < groups; group++)
        for (let row = 0; row < count; row++)
          copyRow(data, dims, group, chosen?.[row] ?? row, out, (group * count + row) * columns);
      return out;
    },
  };
}

function formOf(node: Node, index: number, dims: readonly number[]): Form | string {
  switch (node.op) {
    case 'Conv':
      return convForm(node, dims);
    case 'ConvTranspose':
      return convTransposeForm(node, dims);
    case 'Gemm':
      if (attribute(node, 'transA', 'int', 0) !== 0) return 'its input is transposed (transA)';
      return attribute(node, 'transB', 'int', 0) !== 0
        ? matrixForm(1, dims[0], dims[1], (_, unit, column) => unit * dims[1] + column)
        : matrixForm(1, dims[1], dims[0], (_, unit, column) => column * dims[1] + unit);
    case 'MatMul':
      if (dims.length !== 2) return `its weights are a stack of matrices [${dims}]`;
      return matrixForm(1, dims[1], dims[0], (_, unit, column) => column * dims[1] + unit);
    case 'LSTM':
    case 'GRU': {
      if (index !== 1) return 'these weights multiply the hidden state, which is no value of the graph';
      const [directions, units, columns] = dims;
      return matrixForm(directions, units, columns, (group, unit, column) => (group * units + unit) * columns + column);
    }
    default:
      return `${node.op} is no product of weights`;
  }
}

/** Rows are the last axis of the input, and every group sees all of them. */
function matrixForm(groups: number, units: number, columns: number, position: Form['position']): Form {
  return {
    groups,
    units,
    columns,
    position,
    rowsIn: (dims) => elementCount(dims) / columns,
    copyRow: (data, _dims, _group, row, out, to) => {
      out.set(data.subarray(row * columns, (row + 1) * columns), to);
    },
  };
}

function convForm(node: Node, [filters, perGroup, ...kernel]: readonly number[]): Form {
  const groups = attribute(node, 'group', 'int', 1);
  const taps = elementCount(kernel);
  const columns = perGroup * taps;
  const units = filters / groups;
  const windowsOf = remember((input) => windowTaps(resolveSpatial(node, input, kernel)));
  return {
    groups,
    units,
    columns,
    position: (group, unit, column) => (group * units + unit) * columns + column,
    rowsIn: (dims) => dims[0] * windowsOf(dims.slice(2)).length,
    copyRow: (data, dims, group, row, out, to) => {
      const windows = windowsOf(dims.slice(2));
      const plane = elementCount(dims.slice(2));
      const sample = Math.floor(row / windows.length);
      for (let channel = 0; channel < perGroup; channel++) {
        const from = (sample * dims[1] + group * perGroup + channel) * plane;
        for (const tap of windows[row % windows.length]) out[to + channel * taps + tap.kernel] = data[from + tap.input];
      }
    },
  };
}

/** Each output place is one row: at column (channel, tap) the input element that this tap brings there, else zero. */
function convTransposeForm(node: Node, [channels, units, ...kernel]: readonly number[]): Form {
  const groups = attribute(node, 'group', 'int', 1);
  const perGroup = channels / groups;
  const taps = elementCount(kernel);
  const reachedBy = remember((input) => {
    const spatial = adjointSpatial(node, input, kernel);
    const places: Tap[][] = Array.from({ length: elementCount(spatial.input) }, () => []);
    windowTaps(spatial).forEach((window, from) => {
      for (const tap of window) places[tap.input].push({ input: from, kernel: tap.kernel });
    });
    return places;
  });
  return {
    groups,
    units,
    columns: perGroup * taps,
    position: (group, unit, column) => {
      const channel = group * perGroup + Math.floor(column / taps);
      return (channel * units + unit) * taps + (column % taps);
    },
    rowsIn: (dims) => dims[0] * reachedBy(dims.slice(2)).length,
    copyRow: (data, dims, group, row, out, to) => {
      const places = reachedBy(dims.slice(2));
      const plane = elementCount(dims.slice(2));
      const sample = Math.floor(row / places.length);
      for (let channel = 0; channel < perGroup; channel++) {
        const from = (sample * channels + group * perGroup + channel) * plane;
        for (const tap of places[row % places.length]) out[to + channel * taps + tap.kernel] = data[from + tap.input];
      }
    },
  };
}

/** Keeps the result for the extents asked for last: a stream of batches asks for the same ones again and again. */
function remember<T>(make: (extents: readonly number[]) => T): (extents: readonly number[]) => T {
  let last: { readonly key: string; readonly value: T } | undefined;
  return (extents) => {
    const key = extents.join();
    if (last?.key !== key) last = { key, value: make(extents) };
    return last.value;
  };
}
