import { type Diagnostic, formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import { elementCount, type Tensor, tensorOf, unalignedView, viewAs } from '../../ir/tensor';
import { inputAxis } from '../../ops/facts';
import { scaleIndices } from '../../ops/quantizer';
import { type AffineParameters, type ConstantParameters, codesOf } from '../../passes/insert-qdq';
import { MIN_SCALE, UINT8_LIMIT } from './affine';
import type { LayerChoices } from './quantize-options';
import type { WeightedLayer } from './roles';
import { countPairs, largestPairs, type PairCount, pairLimit } from './saturation';
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
  /** Channels that use fewer codes, so that no pair of products can leave 16 bits. */
  readonly narrowed: readonly number[];
}

/** Grid of weights that was found by other means than fitting the weights: trained, or chosen together with the codes. */
export interface ChosenGrid extends Pick<ConstantParameters, 'scales' | 'zeroPoints' | 'integers'> {
  /** Channels whose scale was widened before the codes were chosen, so that no pair of products can leave 16 bits. */
  readonly narrowed?: readonly number[];
}

/** Which weights of a layer share a scale. */
export interface GridLayout {
  readonly axis: number;
  /** Weights along `axis` with one scale; undefined unless scales are per block. */
  readonly block: number | undefined;
  /** Number of scales. */
  readonly count: number;
  /** Scale of each weight; made when it is asked for. */
  readonly indices: Int32Array;
}

/** The layout of a layer's scales. Blocks need more than one input channel: layers with fewer have scales per channel. */
export function gridLayout(
  graph: Graph,
  layer: WeightedLayer,
  { granularity, blockSize }: Pick<LayerChoices, 'granularity' | 'blockSize'>,
): GridLayout {
  const { dims } = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const { axis, block } = gridAxis(graph, layer, { granularity, blockSize });
  const scales = block
    ? dims.map((dim, at) => (at === axis ? Math.ceil(dim / block) : dim))
    : granularity === 'tensor'
      ? []
      : [dims[axis]];
  const count = elementCount(scales);
  return {
    axis,
    block,
    count,
    get indices() {
      return scaleIndices(dims, scales, axis, block ?? 0);
    },
  };
}

function gridAxis(
  graph: Graph,
  layer: WeightedLayer,
  { granularity, blockSize }: Pick<LayerChoices, 'granularity' | 'blockSize'>,
): Pick<GridLayout, 'axis' | 'block'> {
  const { dims } = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const blocked = hasBlocks(graph, layer, granularity);
  return { axis: blocked ? inputAxis(layer, dims).axis : layer.weight.axis, block: blocked ? blockSize : undefined };
}

/** Whether the weights of a layer get one scale per block. */
export function hasBlocks(graph: Graph, layer: WeightedLayer, granularity: LayerChoices['granularity']): boolean {
  const { dims } = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  return granularity === 'group' && dims[inputAxis(layer, dims).axis] > 1;
}

/**
 * The weights of a layer on the grid of its choices (see `fitGrid`), or on the one given as `chosen`, and its bias as int32
 * with scale `fl(xs * ws)`. The scale of a channel is widened until `|bias| + max|x - z| * sum|w - zw| < 2^31` holds in
 * integers, whatever the input; weights that are all zero take the largest scale of the layer. Without `input` the
 * activations stay float, and nothing but the weights is quantized. With `avoidSaturation` the scale of a channel is widened too, at
 * most twofold, until no pair of its products can leave 16 bits (see `countPairs`); grids with zero points lose one bit for that.
 */
export function layerConstants(
  graph: Graph,
  layer: WeightedLayer,
  input: AffineParameters | undefined,
  choices: LayerChoices,
  chosen?: ChosenGrid,
): LayerConstants {
  const fitted = fitWeights(graph, layer, input, choices, chosen);
  const { widened } = fitted;
  if (input === undefined) return { ...fitted, bias: undefined, narrowed: [] };
  const { weight, narrowed } = choices.avoidSaturation
    ? clearOfSaturation(graph, layer, input, choices, { weight: fitted.weight, chosen })
    : { weight: fitted.weight, narrowed: [] };
  if (layer.bias === undefined) return { weight, bias: undefined, widened, narrowed };
  const biasScales = Float32Array.from(weight.scales, (scale) => scale * input.scale);
  return { weight, bias: { type: 'int32', scales: biasScales, axis: 0 }, widened, narrowed };
}

/** Quantization of the weights, with scales that no int32 sum can overflow under. */
function fitWeights(
  graph: Graph,
  layer: WeightedLayer,
  input: AffineParameters | undefined,
  choices: LayerChoices,
  chosen?: ChosenGrid,
): Pick<LayerConstants, 'weight' | 'widened'> {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const { axis, block } = gridAxis(graph, layer, choices);
  const { scales: wanted, zeroPoints } = chosen ?? fittedGrids(graph, layer, tensor, choices);
  const { scales, widened } =
    input === undefined ? { scales: wanted, widened: [] } : widenScales(graph, layer, input, { wanted, choices });
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
  return { weight, widened };
}

/** The weights with fewer codes in channels where pairs of products could leave 16 bits, and these channels. */
function clearOfSaturation(
  graph: Graph,
  layer: WeightedLayer,
  input: AffineParameters,
  choices: LayerChoices,
  { weight, chosen }: { readonly weight: ConstantParameters; readonly chosen: ChosenGrid | undefined },
): Pick<LayerConstants, 'weight' | 'narrowed'> {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const narrowed = channelsToNarrow(tensor, layer, input, weight, choices);
  if (narrowed.length === 0) return { weight, narrowed: chosen?.narrowed ?? [] };
  if (weight.zeroPoints) {
    // A wider scale would not move zero points away from the ends of the range.
    const coarser = { ...choices, weightBits: choices.weightBits - 1 };
    return { weight: fitWeights(graph, layer, input, coarser).weight, narrowed };
  }
  const { integers: _, ...refitted } = weight;
  return {
    weight: { ...refitted, scales: narrowScales(tensor, layer, input, { weight, narrowed, choices }) },
    narrowed,
  };
}

/** Pairs of products of a layer that can leave 16 bits with these codes; none where its activations stay float. */
export function pairsOf(
  graph: Graph,
  layer: WeightedLayer,
  input: AffineParameters | undefined,
  weight: ConstantParameters,
): PairCount {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  if (input === undefined) return { pairs: 0, saturating: 0, channels: [] };
  return countPairs(pairedLayer(tensor, layer), viewAs(codesOf(tensor, weight), 'int8'), pairLimit(input.limit));
}

function pairedLayer({ dims }: Tensor, { node, weight }: WeightedLayer) {
  return { node, dims, axis: weight.axis };
}

/** What rounding may add to the sum of two codes: AdaRound takes either code beside a weight. */
const ROUNDING = { nearest: 1, adaround: 2 } as const;

/** Channels with pairs that can leave 16 bits, or could once their codes are chosen. */
function channelsToNarrow(
  tensor: Tensor,
  layer: WeightedLayer,
  input: AffineParameters,
  weight: ConstantParameters,
  { rounding }: LayerChoices,
): readonly number[] {
  const limit = pairLimit(input.limit);
  const [low, high] = weight.codes!;
  if (2 * Math.max(-low, high) <= limit) return [];
  const open = rounding === 'adaround' && weight.integers === undefined;
  return countPairs(
    pairedLayer(tensor, layer),
    viewAs(codesOf(tensor, weight), 'int8'),
    open ? limit - ROUNDING.adaround : limit,
  ).channels;
}

/** Scales of channels, or one for all, under which no rounding makes a pair of the narrowed channels leave 16 bits. */
function narrowScales(
  tensor: Tensor,
  layer: WeightedLayer,
  input: AffineParameters,
  { weight, narrowed, choices }: { weight: ConstantParameters; narrowed: readonly number[]; choices: LayerChoices },
): Float32Array {
  const largest = largestPairs(pairedLayer(tensor, layer), viewAs(tensor, 'float32'));
  const most = pairLimit(input.limit) - ROUNDING[choices.rounding];
  const needed = (channel: number) => roundScale((largest[channel] / most) * (1 + 2 ** -20), choices);
  const { scales } = weight;
  if (scales.length === 1) return Float32Array.of(Math.max(scales[0], ...narrowed.map(needed)));
  const wider = scales.slice();
  for (const channel of narrowed) wider[channel] = Math.max(scales[channel], needed(channel));
  return wider;
}

/** The scale, or the next power of two where the scheme wants one. */
function roundScale(scale: number, { scheme }: LayerChoices): number {
  return scheme === 'power-of-two' && scale > 0 ? 2 ** Math.ceil(Math.log2(scale)) : scale;
}

/** The weights of a layer as they are after quantization. */
export function onGrid(graph: Graph, layer: WeightedLayer, { weight }: LayerConstants, choices: LayerChoices): Tensor {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const { indices } = gridLayout(graph, layer, choices);
  const codes = viewAs(codesOf(tensor, weight), 'int8');
  const data = new Float32Array(codes.length);
  for (let i = 0; i < data.length; i++)
    data[i] = (codes[i] - (weight.zeroPoints?.[indices[i]] ?? 0)) * weight.scales[indices[i]];
  return tensorOf('float32', tensor.dims, data);
}

type Grids = { readonly scales: Float32Array; readonly zeroPoints: Int8Array };

/** Grids that were fitted before: plans that differ in biases or activations are written several times. */
const fitted = new WeakMap<Tensor, Map<string, Grids>>();

function fittedGrids(graph: Graph, layer: WeightedLayer, weights: Tensor, choices: LayerChoices): Grids {
  const known = fitted.get(weights) ?? new Map<string, Grids>();
  fitted.set(weights, known);
  const key = JSON.stringify([choices, layer.weight.axis]);
  const before = known.get(key);
  if (before) return before;
  const grids = fitGrids(weights, gridLayout(graph, layer, choices), choices);
  known.set(key, grids);
  return grids;
}

/** The best grid of every set of weights with one scale. */
function fitGrids(weights: Tensor, layout: GridLayout, choices: LayerChoices): Grids {
  const grids = Array.from(setsOf(weights, layout), (set) => fitGrid(set, choices));
  const largest = Math.max(MIN_SCALE, ...grids.map((grid) => grid?.scale ?? 0));
  return {
    scales: Float32Array.from(grids, (grid) => Math.max(grid?.scale ?? largest, MIN_SCALE)),
    zeroPoints: Int8Array.from(grids, (grid) => grid?.zeroPoint ?? 0),
  };
}

/** The weights of every scale in turn, in the order of the tensor; each set is good until the next one. */
function* setsOf(tensor: Tensor, layout: GridLayout): Generator<Float32Array> {
  const { axis, block, count } = layout;
  if (count === 1) {
    yield viewAs(tensor, 'float32');
    return;
  }
  if (block !== undefined) {
    yield* blockSets(viewAs(tensor, 'float32'), layout);
    return;
  }
  const weights = unalignedView(tensor);
  const length = elementCount(tensor.dims);
  const inner = elementCount(tensor.dims.slice(axis + 1));
  const set = new Float32Array(length / count);
  for (let channel = 0; channel < count; channel++) {
    let filled = 0;
    for (let start = channel * inner; start < length; start += count * inner)
      for (let i = 0; i < inner; i++) set[filled++] = weights.getFloat32(4 * (start + i), true);
    yield set;
  }
}

function blockSets(weights: Float32Array, { indices, count }: GridLayout): Float32Array[] {
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
  layer: WeightedLayer,
  input: AffineParameters,
  { wanted, choices }: { readonly wanted: Float32Array; readonly choices: LayerChoices },
): { readonly scales: Float32Array; readonly widened: readonly number[] } {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const channels = tensor.dims[layer.weight.axis];
  const sums = channelSums(tensor, layer.weight.axis);
  const bias = layer.bias === undefined ? undefined : graph.initializers.get(layer.node.inputs[layer.bias])!;
  const biases = bias ? viewAs(bias, 'float32') : new Float32Array(channels);
  const reach = Math.max(input.zeroPoint, UINT8_LIMIT - input.zeroPoint);
  const count = elementCount(tensor.dims) / channels;
  const needed = Float64Array.from(sums, (sum, channel) => {
    // Sum of the channel at scale 1, plus what rounding can add at any scale.
    const total = Math.abs(biases[channel]) / input.scale + reach * sum;
    const slack = reach * count * 0.5 + 1;
    return roundScale((total / (ACCUMULATOR_LIMIT - slack)) * (1 + 2 ** -20), choices);
  });
  const widened = [...needed.keys()].filter((channel) => needed[channel] > (wanted[channel] ?? wanted[0]));
  const scales =
    wanted.length === 1
      ? Float32Array.of(Math.max(wanted[0], ...needed))
      : widened.length === 0
        ? wanted
        : wanted.map((scale, channel) => Math.max(scale, needed[channel]));
  if (!scales.every((scale) => Number.isFinite(Math.fround(scale * input.scale))))
    throw new HoneError('E_CALIBRATION', {
      value: `'${layer.input}'`,
      reason: 'its range times the weights is beyond float32',
    });
  return { scales, widened };
}

/** sum|w| of every channel along `axis`. */
function channelSums(tensor: Tensor, axis: number): Float64Array {
  const { dims } = tensor;
  const data = unalignedView(tensor);
  const length = elementCount(dims);
  const channels = dims[axis];
  const inner = elementCount(dims.slice(axis + 1));
  const sums = new Float64Array(channels);
  for (let i = 0, channel = 0; i < length; channel = (channel + 1) % channels)
    for (const end = i + inner; i < end; i++) {
      const weight = data.getFloat32(4 * i, true);
      sums[channel] += weight < 0 ? -weight : weight;
    }
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
    const wrong = firstNotFinite(tensor);
    if (wrong < 0) continue;
    const message = `expected finite numbers, found ${viewAs(tensor, 'float32')[wrong]} at element ${wrong}`;
    found.push({ severity: 'error', kind: 'not-finite', where: `constant ${name}`, message });
  }
  if (found.length > 0) throw new HoneError('E_GRAPH_INVALID', { diagnostics: formatDiagnostics(found) });
}

/** Index of the first float32 whose exponent is that of NaN and infinity, or -1; read byte by byte, since a view may copy. */
function firstNotFinite({ bytes }: Tensor): number {
  for (let i = 3; i < bytes.length; i += 4) if ((bytes[i] & 127) === 127 && bytes[i - 1] > 127) return (i - 3) / 4;
  return -1;
}
