import type { Diagnostic } from '../core/diagnostic';
import { attribute } from '../ir/attribute';
import { elementCount, tensorFrom } from '../ir/tensor';
import { normalizeAxis } from './axes';
import { dimsOf, floats, int64s, reshapeTo, sumOver, sumToShape } from './gradients';
import type { Emitter, GradientContext } from './operator';
import { problem } from './schema';

/**
 * Gradient of BatchNormalization. With `s = 1 / sqrt(var + epsilon)`, `M` elements per channel and sums over a channel:
 * `dB = sum(dy)`, `dscale = s * (sum(dy * x) - mean * dB)`. The input gets `scale * s * dy`, in training mode corrected for
 * the statistics' dependence on it (Ioffe and Szegedy 2015, section 3), which as numbers per channel is
 * `dx = a * dy + c * x + e`: two passes of sums and three of sums and products over the data.
 */
export function batchNormalizationGradient(context: GradientContext): (string | undefined)[] | Diagnostic {
  const { node, emit, outputGradients, wants } = context;
  const [x, scale] = node.inputs;
  const [dy, ...statisticsGradients] = outputGradients;
  if (!dy || statisticsGradients.some((gradient) => gradient !== undefined))
    return problem(node, 'missing-gradient', 'the running statistics have no gradient');
  const training = attribute(node, 'training_mode', 'int', 0) !== 0;
  const dims = dimsOf(emit, x);
  const channels = dims[1];
  const binary = (op: string, a: string, b: string) => emit.node(op, [a, b]);
  const { mean, variance } = training ? batchStatistics(context) : { mean: node.inputs[3], variance: node.inputs[4] };
  const epsilon = floats(emit, [attribute(node, 'epsilon', 'float', 1e-5)]);
  const inverse = emit.node('Reciprocal', [emit.node('Sqrt', [binary('Add', variance, epsilon)])]);
  const gain = binary('Mul', scale, inverse);

  const dBias = sumPerChannel(emit, dy);
  const centred = () => binary('Sub', sumPerChannel(emit, binary('Mul', dy, x)), binary('Mul', mean, dBias));
  const needsScale = wants(1) || wants(4) || (training && wants(0));
  const dScale = needsScale ? binary('Mul', inverse, centred()) : undefined;
  const dScaleAndBias = [wants(1) ? dScale : undefined, wants(2) ? dBias : undefined];
  const scaled = () => binary('Mul', dy, perChannel(emit, gain, dims));
  if (!training) {
    const dMean = () => emit.node('Neg', [binary('Mul', gain, dBias)]);
    const dVariance = () => binary('Mul', binary('Mul', binary('Mul', gain, inverse), dScale!), floats(emit, [-0.5]));
    return [
      wants(0) ? scaled() : undefined,
      ...dScaleAndBias,
      wants(3) ? dMean() : undefined,
      wants(4) ? dVariance() : undefined,
    ];
  }
  if (!wants(0)) return [undefined, ...dScaleAndBias];
  const negativeShare = binary('Mul', gain, floats(emit, [-channels / elementCount(dims)]));
  const slope = binary('Mul', negativeShare, binary('Mul', inverse, dScale!));
  const offset = binary('Sub', binary('Mul', negativeShare, dBias), binary('Mul', slope, mean));
  return [binary('Add', scaled(), affine(emit, x, slope, offset)), ...dScaleAndBias];
}

/** Taking momentum back multiplies the rounding of the running statistics by 1 / (1 - momentum); 200 leaves five digits. */
const MAX_MOMENTUM = 0.995;

/**
 * Mean and population variance of the batch, from the node's running statistics where it has them: exactly those with
 * momentum 0, else `(new - momentum * old) / (1 - momentum)`, which costs no pass over the data. Without them, or where
 * momentum leaves too few digits: two means.
 */
function batchStatistics({ node, emit }: GradientContext): { mean: string; variance: string } {
  const momentum = attribute(node, 'momentum', 'float', 0.9);
  const [x, , , oldMean, oldVariance] = node.inputs;
  const [, newMean = '', newVariance = ''] = node.outputs;
  if (newMean !== '' && newVariance !== '' && momentum <= MAX_MOMENTUM) {
    const undo = (now: string, old: string) => {
      if (momentum === 0) return now;
      const moved = emit.node('Sub', [now, emit.node('Mul', [old, floats(emit, [momentum])])]);
      return emit.node('Mul', [moved, floats(emit, [1 / (1 - momentum)])]);
    };
    // Rounding may leave a variance of zero slightly negative.
    const variance = emit.node('Relu', [undo(newVariance, oldVariance)]);
    return { mean: undo(newMean, oldMean), variance };
  }
  const dims = dimsOf(emit, x);
  const axes = int64s(emit, channelAxes(dims));
  const mean = emit.node('ReduceMean', [x, axes], { keepdims: 1 });
  const centred = emit.node('Sub', [x, mean]);
  const variance = emit.node('ReduceMean', [emit.node('Mul', [centred, centred]), axes], { keepdims: 0 });
  return { mean: reshapeTo(emit, mean, [dims[1]]), variance };
}

/** All axes but the channels'. */
function channelAxes(dims: readonly number[]): number[] {
  return dims.map((_, axis) => axis).filter((axis) => axis !== 1);
}

function sumPerChannel(emit: Emitter, value: string): string {
  return sumOver(emit, value, channelAxes(dimsOf(emit, value)));
}

/** Numbers per channel in a shape that broadcasts over `[N, C, ...]`. */
function perChannel(emit: Emitter, value: string, dims: readonly number[]): string {
  return reshapeTo(
    emit,
    value,
    dims.slice(1).map((extent, axis) => (axis === 0 ? extent : 1)),
  );
}

/** `slope * x + offset` per channel in one pass: that is BatchNormalization with mean 0 and variance 1. */
function affine(emit: Emitter, x: string, slope: string, offset: string): string {
  const channels = dimsOf(emit, slope);
  const filled = (value: number) => emit.constant(tensorFrom('float32', channels, Array(channels[0]).fill(value)));
  return emit.node('BatchNormalization', [x, slope, offset, filled(0), filled(1)], {
    epsilon: { kind: 'float', value: 0 },
  });
}

/**
 * Gradient of LayerNormalization from its own mean and inverse deviation, which are computed again where the node does not
 * give them: with `h = (x - mean) * inverse` and `g = dy * scale`, `dx = inverse * (g - mean(g) - h * mean(g * h))`
 * (Ba et al. 2016). Scale and bias get `dy * h` and `dy`, summed to their shapes.
 */
export function layerNormalizationGradient({
  node,
  emit,
  outputGradients,
  wants,
}: GradientContext): (string | undefined)[] | Diagnostic {
  const [x, scale, bias] = node.inputs;
  const [dy, ...statisticsGradients] = outputGradients;
  if (!dy || statisticsGradients.some((gradient) => gradient !== undefined))
    return problem(node, 'missing-gradient', 'the statistics have no gradient');
  const dims = dimsOf(emit, x);
  const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), dims.length)!;
  const axes = int64s(emit, dims.map((_, at) => at).slice(axis));
  const { normalized, inverse } = normalize();
  const results: (string | undefined)[] = [undefined, undefined, undefined];
  if (wants(0)) {
    const g = emit.node('Mul', [dy, scale]);
    const mean = emit.node('ReduceMean', [g, axes]);
    const correlation = emit.node('ReduceMean', [emit.node('Mul', [g, normalized]), axes]);
    const rest = emit.node('Sub', [emit.node('Sub', [g, mean]), emit.node('Mul', [normalized, correlation])]);
    results[0] = emit.node('Mul', [rest, inverse]);
  }
  if (wants(1)) results[1] = sumToShape(emit, emit.node('Mul', [dy, normalized]), dimsOf(emit, scale));
  if (bias && wants(2)) results[2] = sumToShape(emit, dy, dimsOf(emit, bias));
  return results;

  function normalize(): { normalized: string; inverse: string } {
    const [, mean = '', given = ''] = node.outputs;
    if (mean !== '' && given !== '')
      return { normalized: emit.node('Mul', [emit.node('Sub', [x, mean]), given]), inverse: given };
    const inner = dims.slice(axis);
    const ones = emit.node('Expand', [floats(emit, [1], [1]), int64s(emit, inner)]);
    const [normalized, , inverse] = emit.nodes('LayerNormalization', [x, ones], 3, {
      axis,
      epsilon: { kind: 'float', value: attribute(node, 'epsilon', 'float', 1e-5) },
    });
    return { normalized, inverse };
  }
}
