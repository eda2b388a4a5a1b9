import type { Diagnostic } from '../core/diagnostic';
import { HoneError } from '../core/error';
import { subgraphsOf } from '../ir/edit';
import type { Dim, Graph, Node, ValueType } from '../ir/graph';
import { findOperator } from '../ops';
import { Inference, type InferenceMemory } from './inference';
import type { PassResult } from './pass-result';

/**
 * The graph with the type and shape of every value that can be known, and what is inconsistent. Expects the dialect. With a
 * memory, nodes that read what they read before are not looked at again.
 */
export function inferShapes(graph: Graph, memory?: InferenceMemory): PassResult {
  const inference = new Inference(graph, memory);
  const diagnostics: Diagnostic[] = graph.nodes.flatMap((node) => inference.visit(node));
  return { graph: { ...graph, values: inference.values() }, diagnostics };
}

/**
 * The graph with symbols of its input shapes replaced by numbers. Types of inner values are forgotten, since they may name
 * the symbols: run `inferShapes` after it.
 * @throws E_OPTION_VALUE when a symbol does not occur or a number is not a natural one
 */
export function bindShapes(graph: Graph, sizes: Readonly<Record<string, number>>): Graph {
  const symbols = symbolsOf(graph);
  for (const [symbol, size] of Object.entries(sizes)) {
    const option = `shape ${symbol}`;
    if (!symbols.includes(symbol))
      throw new HoneError('E_OPTION_VALUE', { option, expected: `a symbol (${symbols.join(', ')})`, found: symbol });
    if (!Number.isInteger(size) || size < 0)
      throw new HoneError('E_OPTION_VALUE', { option, expected: 'a natural number', found: size });
  }
  const bind = (dim: Dim): Dim => (typeof dim === 'string' && Object.hasOwn(sizes, dim) ? sizes[dim] : dim);
  const values = new Map<string, ValueType>();
  const opaque = new Set(graph.nodes.filter(isOpaque).flatMap((node) => node.outputs));
  const ports = new Set([...graph.inputs, ...graph.outputs]);
  for (const [name, { type, shape }] of graph.values) {
    // An opaque node's declared outputs are all that is known of them.
    if (ports.has(name) || opaque.has(name)) values.set(name, { type, shape: shape?.map(bind) });
  }
  return { ...graph, values };
}

/** Symbols in the shapes of the graph's inputs, each once. */
export function symbolsOf(graph: Graph): string[] {
  const dims = graph.inputs.flatMap((input) => graph.values.get(input)?.shape ?? []);
  return [...new Set(dims.filter((dim) => typeof dim === 'string'))];
}

function isOpaque(node: Node): boolean {
  return findOperator(node.domain, node.op) === undefined || subgraphsOf(node).length > 0;
}
