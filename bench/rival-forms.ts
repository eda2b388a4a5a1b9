import { patchGraph, removeDead, usesOf } from '../lib/ir/edit';
import type { Graph, Node } from '../lib/ir/graph';
import { toNumbers } from '../lib/ir/tensor';
import { insertQdq } from '../lib/passes/insert-qdq';

/** One way to write a quantized network for onnxruntime. Weights, scales and convolutions are the same in all of them. */
export interface RivalForm {
  readonly name: string;
  /** The graph in this form; the same object when there is nothing to change. */
  readonly rewrite: (graph: Graph) => Graph;
}

/**
 * The forms that race. Hone's own file already has a pair wherever onnxruntime's static quantizer puts one (behind Conv with
 * its Relu, MaxPool, Add, GlobalAveragePool, Flatten, Gemm), except behind Softmax.
 */
export const RIVAL_FORMS: readonly RivalForm[] = [
  { name: 'as written', rewrite: (graph) => graph },
  { name: 'every output quantized', rewrite: quantizeSoftmax },
  { name: 'integer pads', rewrite: padIntegers },
  { name: 'integer pads, byte input and output', rewrite: (graph) => byteEdges(padIntegers(graph)) },
  {
    name: 'every output quantized, integer pads, byte input and output',
    rewrite: (graph) => byteEdges(padIntegers(quantizeSoftmax(graph))),
  },
];

/** A pair behind every Softmax, with the fixed scale that onnxruntime's quantizer gives it. */
export function quantizeSoftmax(graph: Graph): Graph {
  const values = graph.nodes.filter(({ op }) => op === 'Softmax').map(({ outputs }) => outputs[0]);
  if (values.length === 0) return graph;
  const parameters = { scale: 1 / 256, zeroPoint: 0 };
  return insertQdq(graph, { activations: new Map(values.map((value) => [value, parameters])), constants: new Map() })
    .graph;
}

/** Pads by zero between equal pairs work on the integers themselves, as in onnxruntime's operator-oriented format. */
export function padIntegers(graph: Graph): Graph {
  const uses = usesOf(graph);
  const replace = new Map<Node, readonly Node[]>();
  for (const pad of graph.nodes.filter(({ op }) => op === 'Pad')) {
    const before = uses.producer(pad.inputs[0]);
    const after = uses.onlyConsumer(pad.outputs[0]);
    if (before?.op !== 'DequantizeLinear' || after?.op !== 'QuantizeLinear') continue;
    if (!sameParameters(graph, before, after) || !padsByZero(graph, pad)) continue;
    const [, pads, , axes] = pad.inputs;
    const inputs = [before.inputs[0], pads, before.inputs[2], ...(axes ? [axes] : [])];
    replace.set(pad, [{ ...pad, inputs, outputs: after.outputs }]);
    replace.set(after, []);
  }
  return replace.size === 0 ? graph : patchGraph(graph, { replace });
}

/** Graph inputs and outputs are the integers behind the first and before the last pair, wherever there is one. */
export function byteEdges(graph: Graph): Graph {
  const uses = usesOf(graph);
  const dropped = new Set<Node>();
  const inputs = graph.inputs.map((name) => {
    const readers = uses.consumers(name);
    if (readers.length !== 1 || readers[0].op !== 'QuantizeLinear') return name;
    dropped.add(readers[0]);
    return readers[0].outputs[0];
  });
  const outputs = graph.outputs.map((name) => {
    const maker = uses.producer(name);
    return maker?.op === 'DequantizeLinear' && uses.consumers(name).length === 0 ? maker.inputs[0] : name;
  });
  return removeDead({ ...graph, inputs, outputs, nodes: graph.nodes.filter((node) => !dropped.has(node)) });
}

/** How the bytes of a graph input stand for numbers: parameters of the DequantizeLinear that reads it. */
export function inputParameters(graph: Graph, input: string): { scale: number; zeroPoint: number } | undefined {
  const reader = graph.nodes.find(({ op, inputs }) => op === 'DequantizeLinear' && inputs[0] === input);
  if (reader === undefined) return undefined;
  const [scale, zeroPoint] = [1, 2].map((index) => toNumbers(graph.initializers.get(reader.inputs[index])!)[0]);
  return { scale, zeroPoint };
}

function sameParameters(graph: Graph, a: Node, b: Node): boolean {
  return [1, 2].every((index) => {
    const [left, right] = [a, b].map(({ inputs }) => graph.initializers.get(inputs[index]));
    return left !== undefined && right !== undefined && toNumbers(left).join() === toNumbers(right).join();
  });
}

function padsByZero(graph: Graph, pad: Node): boolean {
  const mode = pad.attributes.get('mode');
  if (mode !== undefined && mode.value !== 'constant') return false;
  const value = pad.inputs[2];
  if (!value) return true;
  const tensor = graph.initializers.get(value);
  return tensor !== undefined && toNumbers(tensor).every((number) => number === 0);
}
