import { Rng, streamSeed } from '../core/rng';
import { nameMaker, removeDead } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf, toNumbers } from '../ir/tensor';

/** The random factors of one Dropout node: an input of the step, drawn anew for every step. */
export interface DropoutMask {
  readonly input: string;
  readonly dims: readonly number[];
  /** Share of elements that are dropped, 0 to below 1. */
  readonly ratio: number;
}

/** Ratio of a Dropout node that names none (ONNX Dropout-13). */
const DEFAULT_RATIO = 0.5;
/** Keeps the draws apart from the order of the samples, which has the same seed. */
const DROPOUT_STREAM = 0xd409;

/**
 * The graph where Dropout is a multiplication by an input: onnxruntime draws from a stream per session, which a resumed run
 * could not take up again. Shapes must be known. Nodes whose mask output is read stay.
 */
export function feedDropout(graph: Graph): { graph: Graph; masks: DropoutMask[] } {
  const masks: DropoutMask[] = [];
  const values = new Map(graph.values);
  const nodes = graph.nodes.map((node) => {
    const ratio = ratioOf(graph, node);
    if (ratio === undefined) return node;
    const [data, output] = [node.inputs[0], node.outputs[0]];
    const type = graph.values.get(data)!;
    const input = `${output}.kept`;
    values.set(input, type);
    masks.push({ input, dims: type.shape as readonly number[], ratio });
    return { ...node, op: 'Mul', inputs: [data, input], outputs: [output], attributes: new Map() };
  });
  if (masks.length === 0) return { graph, masks };
  return { graph: { ...graph, inputs: [...graph.inputs, ...masks.map(({ input }) => input)], nodes, values }, masks };
}

/** Share that a node drops; undefined for nodes that drop nothing or cannot be replaced. */
function ratioOf(graph: Graph, node: Node): number | undefined {
  if (!isDropout(node) || (node.outputs[1] ?? '') !== '') return undefined;
  const name = node.inputs[1] ?? '';
  if (name === '') return DEFAULT_RATIO;
  const tensor = graph.initializers.get(name);
  const ratio = tensor && toNumbers(tensor)[0];
  return ratio !== undefined && ratio > 0 && ratio < 1 ? ratio : undefined;
}

/** Factors of step `step` (from 0): 0 with probability `ratio`, else `1 / (1 - ratio)`; a function of seed, step and input. */
export function drawDropout(masks: readonly DropoutMask[], seed: number, step: number): Map<string, Tensor> {
  const rng = new Rng(streamSeed(seed ^ DROPOUT_STREAM, step));
  return new Map(
    masks.map(({ input, dims, ratio }) => {
      const kept = 1 / (1 - ratio);
      const factors = Float32Array.from({ length: elementCount(dims) }, () => (rng.uniform() < ratio ? 0 : kept));
      return [input, tensorOf('float32', dims, factors)];
    }),
  );
}

/** Name of the input that says that a Dropout node drops. */
const TRAINING = 'training_mode.true';

/** The graph (dialect) where Dropout nodes say that they drop, so that no pass takes them for nodes without effect. */
export function keepDropout(graph: Graph): Graph {
  const drops = (node: Node) => ratioOf(graph, node) !== undefined;
  if (!graph.nodes.some(drops)) return graph;
  const training = nameMaker(graph)(TRAINING);
  const nodes = graph.nodes.map((node) =>
    drops(node) ? { ...node, inputs: [node.inputs[0], node.inputs[1] ?? '', training] } : node,
  );
  return { ...graph, nodes, initializers: new Map([...graph.initializers, [training, tensorFrom('bool', [], [1])]]) };
}

/** The graph where Dropout nodes drop nothing, which is their form at inference. */
export function restDropout(graph: Graph): Graph {
  if (!graph.nodes.some(isDropout)) return graph;
  const nodes = graph.nodes.map((node) => (isDropout(node) ? { ...node, inputs: node.inputs.slice(0, 2) } : node));
  return removeDead({ ...graph, nodes });
}

function isDropout(node: Node): boolean {
  return node.op === 'Dropout' && node.domain === '';
}
