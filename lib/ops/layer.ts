/** A constant input that training moves, or that a normalization remembers of the samples that it saw. */
export interface LayerParameter {
  /** Index of the input. */
  readonly index: number;
  /** `recurrent`: weights of a hidden state, which is no value of the graph. */
  readonly role: 'weight' | 'recurrent' | 'bias' | 'scale' | 'shift' | 'mean' | 'variance';
}

/** Where the weights of a layer hold what; axes from 0, or negative from the end. */
export interface WeightAxes {
  /** Output units, and inputs of a unit. */
  readonly out: number;
  readonly in: number;
  /** Groups of inputs of which a unit sees one. */
  readonly groups: number;
  /** The axis that counts those of all groups; the other one counts those of one group. */
  readonly grouped: 'out' | 'in';
}

/**
 * Weights as a matrix: before the bias, output unit `u` of group `g` at one place is `sum over columns c of
 * x[g, row, c] * w[g, u, c]`, where a row holds all that the unit sees at that place (an im2col patch of a convolution).
 */
export interface Product {
  /** Convolution groups, or directions of a recurrent layer. */
  readonly groups: number;
  /** Output units of each group. */
  readonly units: number;
  /** Weights of each unit. */
  readonly columns: number;
  /** Where the weight tensor holds element `[group, unit, column]`. */
  readonly position: (group: number, unit: number, column: number) => number;
  /** Rows of each group for an input of these extents: samples times places. */
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
 * What a node with parameters is made of. Pruning, training, initialisation, quantization and its repairs read it, so that none
 * of them knows an operator by name.
 */
export interface LayerFacet {
  readonly parameters: readonly LayerParameter[];
  /** Axes of the weights; normalizations have none. */
  readonly axes?: WeightAxes;
  /** Axis of the first output that counts units. */
  readonly unitAxis?: number;
  /** What the products of inputs and weights, and what the bias are multiplied with; absent: 1. */
  readonly factors?: { readonly product: number; readonly bias: number };
  /** The weights at input `index`, of extents `dims`, as a matrix product, or why they are none. */
  readonly product?: (dims: readonly number[], index: number) => Product | string;
}

/**
 * Output unit and input, of all groups, of every element of a weight tensor of extents `dims`, by its place in the tensor.
 */
export function unitsOf(
  { out, in: inputs, groups, grouped }: WeightAxes,
  dims: readonly number[],
): {
  readonly units: number;
  readonly inputs: number;
  readonly unitAt: (place: number) => number;
  readonly inputAt: (place: number) => number;
} {
  const along = (axis: number) => {
    const from = axis < 0 ? axis + dims.length : axis;
    const stride = dims.slice(from + 1).reduce((product, dim) => product * dim, 1);
    return { extent: dims[from], at: (place: number) => Math.floor(place / stride) % dims[from] };
  };
  const [all, own] = grouped === 'out' ? [along(out), along(inputs)] : [along(inputs), along(out)];
  const perGroup = all.extent / groups;
  // The axis of one group is told apart by the group that the other one is in.
  const ownAt = (place: number) => Math.floor(all.at(place) / perGroup) * own.extent + own.at(place);
  return grouped === 'out'
    ? { units: all.extent, inputs: own.extent * groups, unitAt: all.at, inputAt: ownAt }
    : { units: own.extent * groups, inputs: all.extent, unitAt: ownAt, inputAt: all.at };
}
