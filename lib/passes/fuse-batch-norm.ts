import { attribute } from '../ir/attribute';
import type { Graph, Node } from '../ir/graph';
import { elementCount, tensorOf, viewAs } from '../ir/tensor';
import { toDense } from '../ops/dense';
import { attributeIs, channelAxisOf, channelBiasOf, hasChannelBias, oneOutput } from './guards';
import { constant, type Match, node, optional, value } from './pattern';
import { applyRules, type Rewrite, type RewriteContext, type Rule, replaceBy, type Trace } from './rewrite';

/**
 * The graph with every inference BatchNormalization folded into the Conv or Gemm before it. One that has no such neighbour
 * stays. Returns the same graph when nothing matches.
 */
export function fuseBatchNorm(graph: Graph, trace?: Trace): Graph {
  return applyRules(graph, FUSE_BATCH_NORM, trace);
}

const LINEAR = { linear: 'linear', weights: 'w', bias: 'bias' } as const;

export const FUSE_BATCH_NORM: readonly Rule[] = [
  {
    name: 'fuse-batch-norm',
    summary: 'BatchNormalization folds into the Conv or Gemm before it',
    pattern: node('norm', 'BatchNormalization', [
      node('linear', ['Conv', 'Gemm'], [value('x'), constant('w', 'float32'), optional(constant('bias'))], {
        alone: true,
      }),
      ...['scale', 'offset', 'mean', 'variance'].map((name) => constant(name)),
    ]),
    guards: [
      attributeIs('norm', 'training_mode', 'int', 0),
      oneOutput('norm'),
      attributeIs('linear', 'alpha', 'float', 1),
      attributeIs('linear', 'beta', 'float', 1),
      hasChannelBias('linear', 'w', 'bias'),
    ],
    replace: fused,
  },
];

/** `w' = w * scale / sqrt(var + epsilon)`, `b' = (b - mean) * scale / sqrt(var + epsilon) + B`, in float64, rounded once. */
function fused(match: Match, context: RewriteContext): Rewrite {
  const [linear, norm, weights] = [match.node('linear'), match.node('norm'), match.constant('w')];
  const [scale, offset, mean, variance] = ['scale', 'offset', 'mean', 'variance'].map(
    (name) => toDense(match.constant(name), 'float64').data,
  );
  const epsilon = attribute(norm, 'epsilon', 'float', Math.fround(1e-5));
  const gain = Float64Array.from(scale, (s, c) => s / Math.sqrt(variance[c] + epsilon));
  const axis = channelAxisOf(linear);
  const channels = weights.dims[axis];
  const inner = elementCount(weights.dims.slice(axis + 1));
  const scaled = viewAs(weights, 'float32').map((w, i) => w * gain[Math.floor(i / inner) % channels]);
  const old = channelBiasOf(match, LINEAR)!;
  const shift = Float32Array.from({ length: channels }, (_, c) => (old[c] - mean[c]) * gain[c] + offset[c]);
  const made: Node = {
    ...linear,
    inputs: [
      linear.inputs[0],
      context.add(`${linear.inputs[1]}_fused`, tensorOf('float32', weights.dims, scaled)),
      context.add(`${linear.outputs[0]}_bias`, tensorOf('float32', [channels], shift)),
    ],
    outputs: norm.outputs.slice(0, 1),
  };
  return replaceBy(norm, made, [linear]);
}
