import type { Diagnostic } from '../core/diagnostic';
import { readsOf } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import { elementCount, tensorFrom } from '../ir/tensor';
import { isFloat } from '../ops/dense';
import { findOperator } from '../ops/index';
import { problem } from '../ops/schema';
import { createEmitter, type GraphEmitter } from './emitter';

/** A graph with gradients: its outputs are the former ones, then the gradients in the order they were asked for. */
export interface Differentiated {
  readonly graph: Graph;
  /** Name of the gradient of each wanted value; it has the shape of that value. */
  readonly gradients: ReadonlyMap<string, string>;
}

/**
 * The graph extended with d`loss`/d`value` for every wanted value (input, initializer or inner value), or why it cannot be.
 * Every value's type must be known with numbers as extents. `loss` has one element.
 */
export function differentiate(
  graph: Graph,
  loss: string,
  wanted: readonly string[],
): Differentiated | readonly Diagnostic[] {
  const emit = createEmitter(graph);
  const gradients = emitGradients(emit, graph, loss, wanted);
  if (!(gradients instanceof Map)) return gradients as readonly Diagnostic[];
  const names = wanted.map((value) => gradients.get(value)!);
  return { graph: emit.build([...graph.outputs, ...names]), gradients };
}

/**
 * Emits the reverse sweep over `graph` (nodes that `emit` has added since are not part of it) and returns the gradient's
 * name per wanted value, or diagnostics naming each node that has no gradient.
 */
export function emitGradients(
  emit: GraphEmitter,
  graph: Graph,
  loss: string,
  wanted: readonly string[],
): ReadonlyMap<string, string> | readonly Diagnostic[] {
  const influenced = influencedBy(graph, wanted, emit);
  const partial = new Map<string, string[]>();
  const finished = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];

  /** The sum of all that flowed into `value`; nobody adds to it afterwards. */
  const take = (value: string): string | undefined => {
    if (finished.has(value)) return finished.get(value);
    const parts = partial.get(value);
    if (!parts) return undefined;
    const total = parts.length === 1 ? parts[0] : emit.node('Sum', parts);
    finished.set(value, total);
    return total;
  };

  const lossDims = emit.typeOf(loss).shape as readonly number[];
  if (elementCount(lossDims) !== 1)
    return [
      { severity: 'error', kind: 'shape-mismatch', where: loss, message: `expected one element, found [${lossDims}]` },
    ];
  partial.set(loss, [emit.constant(tensorFrom('float32', lossDims, [1]))]);
  for (const node of graph.nodes.toReversed()) {
    if (![...readsOf(node)].some((value) => influenced.has(value))) continue;
    const outputGradients = node.outputs.map((output) => (output === '' ? undefined : take(output)));
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    const results = gradientsOf(node, emit, outputGradients, influenced);
    if ('kind' in results) {
      diagnostics.push(results);
      continue;
    }
    results.forEach((gradient, index) => {
      const input = node.inputs[index];
      if (gradient === undefined || !influenced.has(input)) return;
      const parts = partial.get(input);
      if (parts) parts.push(gradient);
      else partial.set(input, [gradient]);
    });
  }
  if (diagnostics.length > 0) return diagnostics;

  const gradients = new Map<string, string>();
  for (const value of wanted) {
    const gradient = take(value);
    if (gradient !== undefined) gradients.set(value, gradient);
    else
      diagnostics.push({
        severity: 'error',
        kind: 'no-path',
        where: value,
        message: `the loss '${loss}' does not depend on '${value}' through differentiable operators`,
      });
  }
  return diagnostics.length > 0 ? diagnostics : gradients;
}

/**
 * Values that depend on a wanted one through floating-point values, or through the codes of a QuantizeLinear: only these carry
 * gradients.
 */
function influencedBy(graph: Graph, wanted: readonly string[], emit: GraphEmitter): ReadonlySet<string> {
  const influenced = new Set(wanted);
  for (const node of graph.nodes) {
    if (![...readsOf(node)].some((value) => influenced.has(value))) continue;
    for (const output of node.outputs) {
      const carries = node.op === 'QuantizeLinear' || (output !== '' && isFloat(emit.typeOf(output).type));
      if (carries) influenced.add(output);
    }
  }
  return influenced;
}

function gradientsOf(
  node: Node,
  emit: GraphEmitter,
  outputGradients: readonly (string | undefined)[],
  influenced: ReadonlySet<string>,
): readonly (string | undefined)[] | Diagnostic {
  const operator = findOperator(node.domain, node.op);
  if (!operator?.gradient) return problem(node, 'missing-gradient', 'this operator has no gradient');
  return operator.gradient({ node, emit, outputGradients, wants: (index) => influenced.has(node.inputs[index]) });
}
