import { type Diagnostic, formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import { elementCount, type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import { scaleIndices } from '../../ops/quantizer';
import { type AffineParameters, type ConstantParameters, codesOf } from '../../passes/insert-qdq';
import { MIN_SCALE, UINT8_LIMIT } from './affine';
import type { LayerChoices } from './options';
import type { Layer } from './roles';
import { codeRange, fitGrid } from './weight-grid';

/** Accumulators are int32: no sum of a channel may reach this. */
const ACCUMULATOR_LIMIT = 2 ** 31;

/** Quantization of the constants of one layer. */
export interface LayerConstants {
  readonly weight: ConstantParameters;
  /** int32 with scale `xs * ws`; undefined where the layer has no bias, or where its activations stay float. */
  readonly bias: ConstantParameters | undefined;
  /** Channels whose weight scale had to grow so that int32 sums cannot overflow. */
  readonly widened: readonly number[];
}

/** Grid of weights that was found by other means than fitting the weights: trained, or chosen together with the codes. */
export type ChosenGrid = Pick<ConstantParameters, 'scales' | 'zeroPoints' | 'integers'>;

/** Which weights of a layer share a scale. */
export interface GridLayout {
  readonly axis: number;
  /** Weights along `axis` with one scale; undefined unless scales are per block. */
  readonly block: number | undefined;
  /** Number of scales. */
  readonly count: number;
  /** Scale of each weight. */
  readonly indices: Int32Array;
}

/** The layout of a layer's scales. Blocks need more than one input channel: layers with fewer have scales per channel. */
export function gridLayout(
  graph: Graph,
  layer: Layer,
  { granularity, blockSize }: Pick<LayerChoices, 'granularity' | 'blockSize'>,
): GridLayout {
  const { dims } = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const blocked = hasBlocks(graph, layer, granularity);
  const axis = blocked ? inputAxis(layer) : layer.weight.axis;
  const block = blocked ? blockSize : undefined;
  const scales = blocked
    ? dims.map((dim, at) => (at === axis ? Math.ceil(dim / blockSize) : dim))
    : granularity === 'tensor'
      ? []
      : [dims[axis]];
  return { axis, block, count: elementCount(scales), indices: scaleIndices(dims, scales, axis, block ?? 0) };
}

/** Whether the weights of a layer get one scale per block. */
export function hasBlocks(graph: Graph, layer: Layer, granularity: LayerChoices['granularity']): boolean {
  const { dims } = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  return granularity === 'group' && dims[inputAxis(layer)] > 1;
}

/** The axis of the input channels is the other one of the first two. */
function inputAxis({ weight }: Layer): number {
  return weight.axis === 0 ? 1 : 0;
}

/**
 * The weights of a layer on the grid of its choices (see `fitGrid`), or on the one given as `chosen`, and its bias as int32
 * with scale `fl(xs * ws)`. The scale of a channel is widened until `|bias| + max|x - z| * sum|w - zw| < 2^31` holds in
 * integers, whatever the input; weights that are all zero take the largest scale of the layer. Without `input` the
 * activations stay float, and nothing but the weights is quantized.
 */
export function layerConstants(
  graph: Graph,
  layer: Layer,
  input: AffineParameters | undefined,
  choices: LayerChoices,
  chosen?: ChosenGrid,
): LayerConstants {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const { axis, block, count, indices } = gridLayout(graph, layer, choices);
  const weights = viewAs(tensor, 'float32');
  const { scales: wanted, zeroPoints } = chosen ?? fitGrids(weights, indices, count, choices);
  const { scales, widened } =
    input === undefined
      ? { scales: wanted, widened: [] }
      : widenScales(graph, layer, input, { wanted, powersOfTwo: choices.scheme === 'power-of-two' });
  const weight: ConstantParameters = {
    type: 'int8',
    scales,
    axis,
    codes: codeRange(choices),
    ...(block !== undefined && { block }),
    ...(zeroPoints?.some((zeroPoint) => zeroPoint !== 0) && { zeroPoints }),
    // Codes belong to the scales that they were chosen for.
    ...(chosen?.integers && widened.length === 0 && { integers: chosen.integers }),
  };
  if (input === undefined || layer.bias === undefined) return { weight, bias: undefined, widened };
  const biasScales = Float32Array.from(scales, (scale) => scale * input.scale);
  return { weight, bias: { type: 'int32', scales: biasScales, axis: 0 }, widened };
}

/** The weights of a layer as they are after quantization. */
export function onGrid(graph: Graph, layer: Layer, { weight }: LayerConstants, choices: LayerChoices): Tensor {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const { indices } = gridLayout(graph, layer, choices);
  const data = Float32Array.from(viewAs(codesOf(tensor, weight), 'int8'), (code, i) => {
    const steps = code - (weight.zeroPoints?.[indices[i]] ?? 0);
    return steps * weight.scales[indices[i]];
  });
  return tensorOf('float32', tensor.dims, data);
}

/** The best grid of every set of weights with one scale. */
function fitGrids(
  weights: Float32Array,
  indices: Int32Array,
  count: number,
  choices: LayerChoices,
): { readonly scales: Float32Array; readonly zeroPoints: Int8Array } {
  const grids = setsOf(weights, indices, count).map((set) => fitGrid(set, choices));
  const largest = Math.max(MIN_SCALE, ...grids.map((grid) => grid?.scale ?? 0));
  return {
    scales: Float32Array.from(grids, (grid) => Math.max(grid?.scale ?? largest, MIN_SCALE)),
    zeroPoints: Int8Array.from(grids, (grid) => grid?.zeroPoint ?? 0),
  };
}

/** The weights of every scale. */
function setsOf(weights: Float32Array, indices: Int32Array, count: number): Float32Array[] {
  const sizes = new Int32Array(count);
  for (const index of indices) sizes[index]++;
  const sets = Array.from(sizes, (size) => new Float32Array(size));
  sizes.fill(0);
  weights.forEach((weight, i) => {
    sets[indices[i]][sizes[indices[i]]++] = weight;
  });
  return sets;
}

/** Scales per channel, or one for all, that no int32 sum can overflow under. */
function widenScales(
  graph: Graph,
  layer: Layer,
  input: AffineParameters,
  { wanted, powersOfTwo }: { readonly wanted: Float32Array; readonly powersOfTwo: boolean },
): { readonly scales: Float32Array; readonly widened: readonly number[] } {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const channels = tensor.dims[layer.weight.axis];
  const sums = channelSums(viewAs(tensor, 'float32'), tensor.dims, layer.weight.axis);
  const bias = layer.bias === undefined ? undefined : graph.initializers.get(layer.node.inputs[layer.bias])!;
  const biases = bias ? viewAs(bias, 'float32') : new Float32Array(channels);
  const reach = Math.max(input.zeroPoint, UINT8_LIMIT - input.zeroPoint);
  const count = elementCount(tensor.dims) / channels;
  const needed = Float64Array.from(sums, (sum, channel) => {
    // Sum of the channel at scale 1, plus what rounding can add at any scale.
    const total = Math.abs(biases[channel]) / input.scale + reach * sum;
    const slack = reach * count * 0.5 + 1;
    const scale = (total / (ACCUMULATOR_LIMIT - slack)) * (1 + 2 ** -20);
    return powersOfTwo && scale > 0 ? 2 ** Math.ceil(Math.log2(scale)) : scale;
  });
  const widened = [...needed.keys()].filter((channel) => needed[channel] > (wanted[channel] ?? wanted[0]));
  const scales =
    wanted.length === 1
      ? Float32Array.of(Math.max(wanted[0], ...needed))
      : wanted.map((scale, channel) => Math.max(scale, needed[channel]));
  if (!scales.every((scale) => Number.isFinite(Math.fround(scale * input.scale))))
    throw new HoneError('E_CALIBRATION', {
      value: `'${layer.input}'`,
      reason: 'its range times the weights is beyond float32',
    });
  return { scales, widened };
}

/** sum|w| of every channel along `axis`. */
function channelSums(data: Float32Array, dims: readonly number[], axis: number): Float64Array {
  const channels = dims[axis];
  const inner = elementCount(dims.slice(axis + 1));
  const sums = new Float64Array(channels);
  for (let i = 0, channel = 0; i < data.length; channel = (channel + 1) % channels)
    for (const end = i + inner; i < end; i++) sums[channel] += data[i] < 0 ? -data[i] : data[i];
  return sums;
}

/**
 * Refuses constants that are NaN or infinite, all of them in one message.
 * @throws E_GRAPH_INVALID
 */
export function requireFiniteConstants(graph: Graph, names: Iterable<string>): void {
  const found: Diagnostic[] = [];
  for (const name of new Set(names)) {
    const tensor = graph.initializers.get(name);
    if (tensor === undefined) continue;
    const data = viewAs(tensor, 'float32');
    const wrong = data.findIndex((x) => !Number.isFinite(x));
    if (wrong < 0) continue;
    const message = `expected finite numbers, found ${data[wrong]} at element ${wrong}`;
    found.push({ severity: 'error', kind: 'not-finite', where: `constant ${name}`, message });
  }
  if (found.length > 0) throw new HoneError('E_GRAPH_INVALID', { diagnostics: formatDiagnostics(found) });
}
