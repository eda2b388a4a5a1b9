import { attribute, attributes } from '../ir/attribute';
import { nameMaker } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import { hasStatistics } from '../ops/facts';

/** Running mean or variance that a step carries on. */
export interface RunningStatistic {
  /** Name of the initializer in the model, and of the input. */
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly dims: readonly number[];
}

/** Places of scale, shift, mean and variance among the inputs of BatchNormalization. */
const PARAMETER_PLACES = [1, 2, 3, 4];
const STATISTIC_PLACES = [3, 4];

/**
 * The graph where every BatchNormalization has parameters and statistics of its own: exporters store equal ones once, and
 * a fresh network has only equal ones. Returns the same graph when nothing is shared.
 */
export function separateBatchNorm(graph: Graph): Graph {
  const fresh = nameMaker(graph);
  const taken = new Set<string>();
  for (const node of graph.nodes) if (!normalizes(node)) for (const input of node.inputs) taken.add(input);
  const initializers = new Map(graph.initializers);
  const values = new Map(graph.values);
  let changed = false;
  const nodes = graph.nodes.map((node) => {
    if (!normalizes(node)) return node;
    const inputs = node.inputs.map((name, place) => {
      const tensor = PARAMETER_PLACES.includes(place) ? graph.initializers.get(name) : undefined;
      if (!tensor) return name;
      if (!taken.has(name)) {
        taken.add(name);
        return name;
      }
      const copy = fresh(name);
      initializers.set(copy, tensor);
      values.set(copy, { type: tensor.type, shape: tensor.dims });
      changed = true;
      return copy;
    });
    return { ...node, inputs };
  });
  return changed ? { ...graph, nodes, initializers, values } : graph;
}

/**
 * The graph with BatchNormalization in training mode: it normalises with the statistics of the batch, running ones become
 * graph inputs, and each node gets outputs with the moved ones. Nodes whose statistics are no initializers stay;
 * none may share them (see `separateBatchNorm`).
 */
export function trainBatchNorm(graph: Graph): { graph: Graph; statistics: RunningStatistic[] } {
  const fresh = nameMaker(graph);
  const statistics: RunningStatistic[] = [];
  const initializers = new Map(graph.initializers);
  const values = new Map(graph.values);
  const nodes = graph.nodes.map((node) => {
    const names = STATISTIC_PLACES.map((place) => node.inputs[place]);
    if (!normalizes(node) || !names.every((name) => graph.initializers.has(name))) return node;
    const outputs = names.map((name) => {
      const { type, dims } = graph.initializers.get(name)!;
      const output = fresh(`${name}.next`);
      initializers.delete(name);
      for (const value of [name, output]) values.set(value, { type, shape: dims });
      statistics.push({ name, input: name, output, dims });
      return output;
    });
    return inTraining(node, [node.outputs[0], ...outputs]);
  });
  const inputs = [...graph.inputs, ...statistics.map(({ input }) => input)];
  return { graph: { ...graph, inputs, nodes, initializers, values }, statistics };
}

function inTraining(node: Node, outputs: readonly string[]): Node {
  return { ...node, outputs, attributes: new Map([...node.attributes, ...attributes({ training_mode: 1 })]) };
}

function normalizes(node: Node): boolean {
  return hasStatistics(node) && attribute(node, 'training_mode', 'int', 0) === 0;
}
