import type { Diagnostic } from '../../core/diagnostic';
import { formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import { type Tensor, viewAs } from '../../ir/tensor';
import type { AffineParameters, ConstantParameters } from '../../passes/insert-qdq';
import { MIN_SCALE } from './affine';
import type { Layer } from './roles';

/** Largest int8 weight; -128 is not used, so that the range is symmetric. */
const WEIGHT_LIMIT = 127;
/** Accumulators are int32: no sum of a channel may reach this. */
const ACCUMULATOR_LIMIT = 2 ** 31;

/** Quantization of the constants of one layer. */
export interface LayerConstants {
  readonly weight: ConstantParameters;
  /** int32 with scale `xs * ws`; undefined where the layer has no bias. */
  readonly bias: ConstantParameters | undefined;
  /** Channels whose weight scale had to grow so that int32 sums cannot overflow. */
  readonly widened: readonly number[];
}

/**
 * int8 weights `ws = max|w| / 127` per output channel (or per tensor), and the int32 bias with scale `fl(xs * ws)`. The
 * scale of a channel is widened until `|bias| + max|x - z| * sum|w| < 2^31` holds in integers, whatever the input; a
 * channel without weights takes the largest scale of its layer.
 */
export function layerConstants(
  graph: Graph,
  layer: Layer,
  input: AffineParameters,
  perChannel: boolean,
): LayerConstants {
  const tensor = graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  const bias = layer.bias === undefined ? undefined : graph.initializers.get(layer.node.inputs[layer.bias])!;
  const stats = channelStatistics(tensor, layer.weight.axis);
  const biases = bias ? viewAs(bias, 'float32') : new Float32Array(stats.length);
  const largest = Math.max(...stats.map((channel) => channel.max)) / WEIGHT_LIMIT;
  const reach = Math.max(input.zeroPoint, 255 - input.zeroPoint);

  const widened: number[] = [];
  const scales = Float32Array.from(stats, ({ max, sum, count }, channel) => {
    const wanted = perChannel && max > 0 ? max / WEIGHT_LIMIT : largest;
    // Sum of the channel at scale 1, plus what rounding can add at any scale.
    const total = Math.abs(biases[channel]) / input.scale + reach * sum;
    const slack = reach * count * 0.5 + 1;
    const needed = (total / (ACCUMULATOR_LIMIT - slack)) * (1 + 2 ** -20);
    if (needed > wanted) widened.push(channel);
    return Math.max(wanted, needed, MIN_SCALE);
  });
  const weightScales = perChannel ? scales : Float32Array.of(Math.max(...scales));
  const biasScales = Float32Array.from(weightScales, (scale) => scale * input.scale);
  if (!biasScales.every((scale) => Number.isFinite(scale)))
    throw new HoneError('E_CALIBRATION', {
      value: `'${layer.input}'`,
      reason: 'its range times the weights is beyond float32',
    });
  return {
    weight: { type: 'int8', scales: weightScales, axis: layer.weight.axis },
    bias: bias && { type: 'int32', scales: biasScales, axis: 0 },
    widened,
  };
}

interface ChannelStatistics {
  /** max|w| and sum|w|. */
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

function channelStatistics(tensor: Tensor, axis: number): ChannelStatistics[] {
  const data = viewAs(tensor, 'float32');
  const channels = tensor.dims[axis];
  const inner = tensor.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const max = new Float64Array(channels);
  const sum = new Float64Array(channels);
  for (let i = 0, channel = 0; i < data.length; channel = (channel + 1) % channels)
    for (const end = i + inner; i < end; i++) {
      const size = data[i] < 0 ? -data[i] : data[i];
      if (size > max[channel]) max[channel] = size;
      sum[channel] += size;
    }
  return Array.from({ length: channels }, (_, channel) => ({
    max: max[channel],
    sum: sum[channel],
    count: data.length / channels,
  }));
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
