import type { Graph, Node } from '../ir/graph';
import { type Tensor, tensorOf, viewAs } from '../ir/tensor';
import { layerOf } from '../ops/facts';
import type { Product } from '../ops/layer';

/** A layer with constant weights as a matrix product; the factors of the layer are left out. */
export interface ProductLayer extends Pick<Product, 'groups' | 'units' | 'columns' | 'rowsIn'> {
  readonly node: Node;
  /** Initializer that holds the weights. */
  readonly weight: string;
  /** The activation that is multiplied. */
  readonly input: string;
  /** Where the weight tensor holds each element of the matrix `[groups, units, columns]`. */
  readonly positions: Uint32Array;
  /** A weight tensor of the layer as that matrix. */
  matrix(weights: Tensor): Float32Array<ArrayBuffer>;
  /** Inverse of `matrix`. */
  tensor(matrix: Float32Array): Tensor;
  /**
   * The rows that are multiplied when the input is `data` of extents `dims`: all of them, sample by sample and place by place
   * in output order, or those at the indices `chosen`. Group by group: `[groups, rows, columns]`.
   */
  rows(data: Float32Array, dims: readonly number[], chosen?: Uint32Array): Float32Array<ArrayBuffer>;
}

/**
 * The product that input `index` of `node` is the weight of, or why it is none: recurrent weights multiply a hidden state,
 * for example, which is no value of the graph.
 */
export function productLayer(graph: Graph, node: Node, index = 1): ProductLayer | string {
  const weight = node.inputs[index] ?? '';
  const tensor = graph.initializers.get(weight);
  if (tensor?.type !== 'float32') return `its weights '${weight}' are no float32 constants`;
  const product = layerOf(node)?.product?.(tensor.dims, index) ?? `${node.op} is no product of weights`;
  if (typeof product === 'string') return product;
  const { groups, units, columns, position, rowsIn, copyRow } = product;
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
