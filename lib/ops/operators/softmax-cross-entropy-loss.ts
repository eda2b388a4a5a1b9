import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCount, tensorFrom } from '../../ir/tensor';
import { elementCost } from '../cost';
import { emptyDense } from '../dense';
import { dimsOf, floats, int64s, reshapeTo } from '../gradients';
import type { GradientContext, Operator } from '../operator';
import { FLOATS, INDEX_TYPES, oneOf, optional, problem, required } from '../schema';
import { softmaxAlong } from '../softmax-family';

/**
 * ONNX SoftmaxCrossEntropyLoss-13: `-log_softmax(scores)[label]` for scores `[N, C, ...]` and labels `[N, ...]`, weighted
 * per class, then averaged over the weights (reduction mean, the default), summed or left as it is.
 */
export const softmaxCrossEntropyLoss: Operator = {
  op: 'SoftmaxCrossEntropyLoss',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('scores', FLOATS), required('labels', INDEX_TYPES), optional('weights', FLOATS)],
    outputs: [required('output', FLOATS), optional('log_prob', FLOATS)],
    attributes: { ignore_index: { kind: 'int' }, reduction: oneOf('none', 'sum', 'mean') },
  },
  infer: ({ node, inputs: [scores, labels] }) => {
    const { type, shape } = scores!;
    if (shape && labels?.shape && shape.length !== labels.shape.length + 1)
      return problem(node, 'shape-mismatch', `labels [${labels.shape}] do not fit scores [${shape}]`);
    const reduction = attribute(node, 'reduction', 'string', 'mean');
    if (!['mean', 'sum', 'none'].includes(reduction))
      return problem(node, 'attribute', `expected reduction mean, sum or none, found ${reduction}`);
    const perSample = labels?.shape ?? (shape && [shape[0], ...shape.slice(2)]);
    return [
      { type, shape: reduction === 'none' ? perSample : [] },
      { type, shape },
    ];
  },
  evaluate: ([scores, labels, weights], node, precision) => {
    const logProbability = softmaxAlong(scores!, 1, true);
    const losses = emptyDense(scores!.type, labels!.dims, precision);
    const [classes, plane] = [scores!.dims[1], elementCount(scores!.dims.slice(2))];
    let [total, totalWeight] = [0, 0];
    for (let i = 0; i < losses.data.length; i++) {
      const label = labels!.data[i];
      if (label === ignoredLabel(node)) continue;
      const weight = weights ? weights.data[label] : 1;
      const at = (Math.floor(i / plane) * classes + label) * plane + (i % plane);
      losses.data[i] = -weight * logProbability.data[at];
      total -= weight * logProbability.data[at];
      totalWeight += weight;
    }
    const reduction = attribute(node, 'reduction', 'string', 'mean');
    if (reduction === 'none') return [losses, logProbability];
    const reduced = emptyDense(scores!.type, [], precision);
    reduced.data[0] = reduction === 'mean' ? total / totalWeight : total;
    return [reduced, logProbability];
  },
  gradient: crossEntropyGradient,
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 4),
};

/** The label of samples that do not count; undefined when all do. */
function ignoredLabel(node: Node): number | undefined {
  return node.attributes.has('ignore_index') ? attribute(node, 'ignore_index', 'int') : undefined;
}

/** `(softmax(scores) - one_hot(labels)) * weight / (sum of weights)`, times the gradient of the loss. */
function crossEntropyGradient(context: GradientContext): ReturnType<NonNullable<Operator['gradient']>> {
  const { node, emit, outputGradients, wants } = context;
  const [scores, labels, weights] = node.inputs;
  const [dLoss, dLogProbability] = outputGradients;
  if (dLogProbability !== undefined || !dLoss)
    return problem(node, 'missing-gradient', 'the output log_prob has no gradient');
  if (wants(2)) return problem(node, 'missing-gradient', 'the input weights has no gradient');
  const dims = dimsOf(emit, scores);
  const classDims = dims.map((extent, axis) => (axis === 1 ? extent : 1));
  const columnDims = dims.map((extent, axis) => (axis === 1 ? 1 : extent));
  const labelType = emit.typeOf(labels).type as 'int32' | 'int64';
  const classes = Array.from({ length: dims[1] }, (_, index) => index);
  const classIds = emit.constant(tensorFrom(labelType, classDims, classes));
  const column = reshapeTo(emit, labels, columnDims);
  const to = { kind: 'int', value: 1 } as const;
  const oneHot = emit.node('Cast', [emit.node('Equal', [column, classIds])], { to });
  const error = emit.node('Sub', [emit.node('Softmax', [scores], { axis: 1 }), oneHot]);

  const reduction = attribute(node, 'reduction', 'string', 'mean');
  const weight = sampleWeights();
  const outer = reduction === 'none' ? reshapeTo(emit, dLoss, columnDims) : dLoss;
  const factor = reduction === 'mean' ? meanFactor() : weight ? emit.node('Mul', [weight, outer]) : outer;
  return [emit.node('Mul', [error, factor]), undefined, undefined];

  /** Weight of every sample `[N, 1, ...]`; undefined when all are 1. */
  function sampleWeights(): string | undefined {
    const ignored = ignoredLabel(node);
    const perClass = weights ? reshapeTo(emit, weights, classDims) : undefined;
    const own = perClass && emit.node('ReduceSum', [emit.node('Mul', [oneHot, perClass]), int64s(emit, [1])]);
    if (ignored === undefined) return own;
    const isIgnored = emit.node('Equal', [column, emit.constant(tensorFrom(labelType, [], [ignored]))]);
    return emit.node('Where', [isIgnored, floats(emit, [0]), own ?? floats(emit, [1])]);
  }

  function meanFactor(): string {
    if (!weight) return emit.node('Mul', [outer, floats(emit, [1 / elementCount(columnDims)])]);
    const total = emit.node('ReduceSum', [weight], { keepdims: 0 });
    return emit.node('Mul', [weight, emit.node('Div', [outer, total])]);
  }
}
