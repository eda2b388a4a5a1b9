import { attribute } from '../../ir/attribute';
import type { Graph, Node } from '../../ir/graph';
import { elementCount, type Tensor, tensorFrom, viewAs } from '../../ir/tensor';
import { hasStatistics } from '../../ops/facts';
import { dimsOf, floats, int64s } from '../../ops/gradients';
import type { GraphEmitter } from '../../train/emitter';
import { classLogits, type LossBuilder } from '../../train/losses';

/** BatchNormalization nodes that remember statistics of the training samples. */
export function statisticsNodes(graph: Graph): readonly Node[] {
  return graph.nodes.filter(
    (node) =>
      hasStatistics(node) &&
      attribute(node, 'training_mode', 'int', 0) === 0 &&
      [3, 4].every((place) => graph.initializers.get(node.inputs[place])?.type === 'float32'),
  );
}

/**
 * How far the means and standard deviations per channel, of what BatchNormalization nodes read, are from those that they
 * remember: squared differences, summed over the channels, divided by the sum of the remembered variances (so that every layer
 * counts the same), summed over the nodes.
 */
export function statisticsDistance(graph: Graph, nodes: readonly Node[]): LossBuilder {
  return (emit) => {
    const distances = nodes.map((node) => {
      const [mean, variance] = [3, 4].map((place) => graph.initializers.get(node.inputs[place])!);
      return distanceOf(emit, node, mean, variance);
    });
    return distances.length === 1 ? distances[0] : emit.node('Sum', distances);
  };
}

function distanceOf(emit: GraphEmitter, node: Node, mean: Tensor, variance: Tensor): string {
  const [value] = node.inputs;
  const dims = dimsOf(emit, value);
  const epsilon = attribute(node, 'epsilon', 'float', 1e-5);
  const channelDims = dims.map((extent, axis) => (axis === 1 ? extent : 1));
  const overSamples = int64s(
    emit,
    dims.flatMap((_, axis) => (axis === 1 ? [] : [axis])),
  );
  const constant = (values: Float32Array) => emit.constant(tensorFrom('float32', channelDims, [...values]));
  const variances = viewAs(variance, 'float32').map((channel) => channel + epsilon);
  const meanOf = (name: string) => emit.node('ReduceMean', [name, overSamples], { keepdims: 1 });
  const squareOf = (name: string) => emit.node('Mul', [name, name]);

  const own = meanOf(value);
  const spread = emit.node('Add', [meanOf(squareOf(emit.node('Sub', [value, own]))), floats(emit, [epsilon])]);
  const differences = [
    emit.node('Sub', [own, constant(viewAs(mean, 'float32'))]),
    emit.node('Sub', [emit.node('Sqrt', [spread]), constant(variances.map(Math.sqrt))]),
  ];
  const squares = emit.node('Add', differences.map(squareOf));
  const total = variances.reduce((sum, channel) => sum + channel, 0);
  return emit.node('Mul', [emit.node('ReduceSum', [squares], { keepdims: 0 }), floats(emit, [1 / total])]);
}

/** Cross-entropy of the first output with the classes in turn: image `i` is to be of class `i mod C`. */
export function classTargets(batchSize: number): LossBuilder {
  return (emit, [output]) => {
    const logits = classLogits(emit, output);
    const [, classes] = dimsOf(emit, logits);
    const turns = Array.from({ length: batchSize }, (_, index) => index % classes);
    const labels = emit.constant(tensorFrom('int32', [batchSize], turns));
    return emit.node('SoftmaxCrossEntropyLoss', [logits, labels], { reduction: 'mean' });
  };
}

/** Mean squared difference of neighbours along the axes from the third on (total variation, squared); 0 without such axes. */
export function smoothness(input: string): LossBuilder {
  return (emit) => {
    const dims = dimsOf(emit, input);
    const terms = dims.flatMap((extent, axis) => {
      if (axis < 2 || extent < 2) return [];
      const part = (start: number, end: number) =>
        emit.node('Slice', [input, int64s(emit, [start]), int64s(emit, [end]), int64s(emit, [axis])]);
      const difference = emit.node('Sub', [part(1, extent), part(0, extent - 1)]);
      const total = emit.node('ReduceSum', [emit.node('Mul', [difference, difference])], { keepdims: 0 });
      return [emit.node('Mul', [total, floats(emit, [extent / (elementCount(dims) * (extent - 1))])])];
    });
    if (terms.length < 2) return terms[0] ?? floats(emit, [0]);
    return emit.node('Sum', terms);
  };
}
