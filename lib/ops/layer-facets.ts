import { attribute } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import type { LayerFacet, LayerParameter, Product } from './layer';
import { resolveSpatial, type Tap, windowTaps } from './spatial';
import { adjointSpatial } from './transposed-extents';

const WEIGHT: LayerParameter = { index: 1, role: 'weight' };
const BIAS: LayerParameter = { index: 2, role: 'bias' };

/** LayerFacet facet of Conv. */
export function convLayer(node: Node): LayerFacet {
  return {
    parameters: [WEIGHT, BIAS],
    axes: { out: 0, in: 1, groups: attribute(node, 'group', 'int', 1), grouped: 'out' },
    unitAxis: 1,
    product: (dims) => convolution(node, dims),
  };
}

/** LayerFacet facet of ConvTranspose. */
export function convTransposeLayer(node: Node): LayerFacet {
  return {
    parameters: [WEIGHT, BIAS],
    axes: { out: 1, in: 0, groups: attribute(node, 'group', 'int', 1), grouped: 'in' },
    unitAxis: 1,
    product: (dims) => transposedConvolution(node, dims),
  };
}

/** LayerFacet facet of Gemm. */
export function gemmLayer(node: Node): LayerFacet {
  const transposed = attribute(node, 'transB', 'int', 0) !== 0;
  return {
    parameters: [WEIGHT, BIAS],
    axes: { ...(transposed ? { out: 0, in: 1 } : { out: 1, in: 0 }), groups: 1, grouped: 'out' },
    unitAxis: -1,
    factors: { product: attribute(node, 'alpha', 'float', 1), bias: attribute(node, 'beta', 'float', 1) },
    product: (dims) => {
      if (attribute(node, 'transA', 'int', 0) !== 0) return 'its input is transposed (transA)';
      return transposed
        ? matrix(1, dims[0], dims[1], (_, unit, column) => unit * dims[1] + column)
        : matrix(1, dims[1], dims[0], (_, unit, column) => column * dims[1] + unit);
    },
  };
}

/** LayerFacet facet of MatMul. */
export function matMulLayer(): LayerFacet {
  return {
    parameters: [WEIGHT],
    axes: { out: -1, in: -2, groups: 1, grouped: 'out' },
    unitAxis: -1,
    product: (dims) =>
      dims.length === 2
        ? matrix(1, dims[1], dims[0], (_, unit, column) => column * dims[1] + unit)
        : `its weights are a stack of matrices [${dims}]`,
  };
}

/** LayerFacet facet of LSTM and GRU: weights `[directions, gates * hidden, inputs]`. */
export function recurrentLayer(): LayerFacet {
  return {
    parameters: [WEIGHT, { index: 2, role: 'recurrent' }, { index: 3, role: 'bias' }],
    axes: { out: 1, in: 2, groups: 1, grouped: 'out' },
    product: ([directions, units, columns], index) =>
      index === 1
        ? matrix(directions, units, columns, (group, unit, column) => (group * units + unit) * columns + column)
        : 'these weights multiply the hidden state, which is no value of the graph',
  };
}

/** LayerFacet facet of LayerNormalization. */
export function scaleAndShift(): LayerFacet {
  return {
    parameters: [
      { index: 1, role: 'scale' },
      { index: 2, role: 'shift' },
    ],
  };
}

/** LayerFacet facet of BatchNormalization. */
export function batchNormLayer(): LayerFacet {
  return {
    parameters: [...scaleAndShift().parameters, { index: 3, role: 'mean' }, { index: 4, role: 'variance' }],
  };
}

/** Rows are the last axis of the input, and every group sees all of them. */
function matrix(groups: number, units: number, columns: number, position: Product['position']): Product {
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

function convolution(node: Node, [filters, perGroup, ...kernel]: readonly number[]): Product {
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
function transposedConvolution(node: Node, [channels, units, ...kernel]: readonly number[]): Product {
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
