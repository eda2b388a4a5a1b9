import { attribute } from '../ir/attribute';
import type { Graph, Node } from '../ir/graph';
import { elementCount, type Tensor } from '../ir/tensor';
import { emptyDense, fromDense, toDense } from '../ops/dense';
import { applyRules, type RewriteContext, type Rule } from './rewrite';

/**
 * The graph with every inference BatchNormalization folded into the Conv or Gemm before it:
 * `w' = w * scale / sqrt(var + epsilon)`, `b' = (b - mean) * scale / sqrt(var + epsilon) + B`, in float64, rounded once.
 * One that has no such neighbour stays. Returns the same graph when nothing matches.
 */
export function fuseBatchNorm(graph: Graph): Graph {
  return applyRules(graph, [fuse]);
}

const fuse: Rule = (norm, context) => {
  if (norm.op !== 'BatchNormalization' || norm.domain !== '') return undefined;
  if (attribute(norm, 'training_mode', 'int', 0) !== 0 || norm.outputs.slice(1).some((name) => name !== ''))
    return undefined;
  const linear = context.producer(norm.inputs[0]);
  if (linear?.domain !== '' || context.onlyConsumer(norm.inputs[0]) !== norm) return undefined;
  const axis = outputAxisOf(linear);
  if (axis === undefined) return undefined;
  const weights = context.constant(linear.inputs[1]);
  const biasName = linear.inputs[2] ?? '';
  const bias = biasName === '' ? undefined : context.constant(biasName);
  const parameters = norm.inputs.slice(1).map((name) => context.constant(name));
  if (weights?.type !== 'float32' || (biasName !== '' && !bias)) return undefined;
  if (parameters.some((tensor) => !tensor)) return undefined;
  const channels = weights.dims[axis];
  if (bias && elementCount(bias.dims) !== channels) return undefined;
  const affine = affineOf(norm, parameters as Tensor[]);
  return { replace: replacement(linear, norm, context, { weights, bias, axis, affine }) };
};

/** Axis of the weights that counts the output channels, for nodes that compute `x * w + b`. */
function outputAxisOf(node: Node): number | undefined {
  if (node.op === 'Conv') return 0;
  if (node.op !== 'Gemm' || attribute(node, 'alpha', 'float', 1) !== 1 || attribute(node, 'beta', 'float', 1) !== 1)
    return undefined;
  return attribute(node, 'transB', 'int', 0) ? 0 : 1;
}

interface Affine {
  /** Per channel: `y = gain * (x - mean) + offset`. */
  readonly gain: Float64Array;
  readonly mean: ArrayLike<number>;
  readonly offset: ArrayLike<number>;
}

function affineOf(norm: Node, parameters: readonly Tensor[]): Affine {
  const [scale, offset, mean, variance] = parameters.map((tensor) => toDense(tensor, 'float64').data);
  const epsilon = attribute(norm, 'epsilon', 'float', Math.fround(1e-5));
  const gain = Float64Array.from(scale, (s, c) => s / Math.sqrt(variance[c] + epsilon));
  return { gain, mean, offset };
}

function replacement(
  linear: Node,
  norm: Node,
  context: RewriteContext,
  found: { weights: Tensor; bias: Tensor | undefined; axis: number; affine: Affine },
): Map<Node, readonly Node[]> {
  const { weights, bias, axis, affine } = found;
  const { gain, mean, offset } = affine;
  const wide = toDense(weights, 'float64');
  const inner = elementCount(weights.dims.slice(axis + 1));
  for (let i = 0; i < wide.data.length; i++) wide.data[i] *= gain[Math.floor(i / inner) % weights.dims[axis]];
  const old = bias ? toDense(bias, 'float64').data : undefined;
  const shift = emptyDense('float32', [weights.dims[axis]], 'float64');
  for (let c = 0; c < shift.data.length; c++) shift.data[c] = ((old?.[c] ?? 0) - mean[c]) * gain[c] + offset[c];
  const fused: Node = {
    ...linear,
    inputs: [
      linear.inputs[0],
      context.add(`${linear.inputs[1]}_fused`, fromDense(wide)),
      context.add(`${linear.outputs[0]}_bias`, fromDense(shift)),
    ],
    outputs: norm.outputs.slice(0, 1),
  };
  return new Map<Node, readonly Node[]>([
    [linear, []],
    [norm, [fused]],
  ]);
}
