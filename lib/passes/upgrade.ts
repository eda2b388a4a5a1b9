import type { Diagnostic } from '../core/diagnostic';
import { makeNames, namesOf } from '../ir/edit';
import type { Attribute, Graph, Node } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import { findOperator } from '../ops';
import { findComposite } from '../ops/composites/find-composite';
import { DIALECT_IR_VERSION, DIALECT_OPSET, type UpgradeEmitter } from '../ops/operator';
import { Inference, type InferenceMemory } from './inference';
import type { PassResult } from './pass-result';

/**
 * The graph in the dialect (opset 21, IR 10). Operators that Hone does not know stay as they are, with a warning; when one
 * of them, or one that the dialect has not yet, comes from a newer opset, the graph keeps that opset (operators of the dialect mean the same there).
 * A form that has no counterpart in the dialect is an error naming the node, which stays too.
 */
export function upgrade(graph: Graph, memory?: InferenceMemory): PassResult {
  const from = graph.opsets.get('') ?? DIALECT_OPSET;
  const diagnostics: Diagnostic[] = [];
  const upgraded = upgradeScope(graph, from, makeNames(namesOf(graph)), diagnostics, memory);
  const keepsOpset = from > DIALECT_OPSET && hasOtherOperator(upgraded);
  return {
    graph: {
      ...upgraded,
      opsets: new Map([...graph.opsets, ['', keepsOpset ? from : DIALECT_OPSET]]),
      irVersion: Math.max(graph.irVersion, DIALECT_IR_VERSION),
    },
    diagnostics,
  };
}

function upgradeScope(
  graph: Graph,
  from: number,
  fresh: (hint: string) => string,
  found: Diagnostic[],
  memory?: InferenceMemory,
): Graph {
  const inference = new Inference(graph, memory);
  const initializers = new Map(graph.initializers);
  const emit: UpgradeEmitter = {
    fresh,
    constant: (tensor: Tensor) => {
      const name = fresh('constant');
      initializers.set(name, tensor);
      inference.setConstant(name, tensor);
      return name;
    },
    typeOf: (value) => inference.typeOf(value),
    constantOf: (value) => inference.constantOf(value),
  };
  const nodes = graph.nodes.flatMap((original) => {
    const node = upgradeSubgraphs(original, from, fresh, found);
    const replaced = upgradeNode(node, from, emit, found);
    // Later upgrades may ask for types; what is wrong with them is for shape inference to say.
    for (const made of replaced) inference.visit(made);
    return replaced;
  });
  return { ...graph, nodes, initializers };
}

function upgradeNode(node: Node, from: number, emit: UpgradeEmitter, found: Diagnostic[]): readonly Node[] {
  const operator = findOperator(node.domain, node.op);
  if (!operator) {
    // What is made of operators that are known is taken apart later.
    if (findComposite(node.domain, node.op)) return [node];
    const domain = node.domain === '' ? '' : `${node.domain}:`;
    const message = `operator ${domain}${node.op} is not known; the node is left as it is`;
    found.push({ severity: 'warning', kind: 'unknown-operator', where: node.name, message });
    return [node];
  }
  if (node.domain !== '' || from >= operator.since || !operator.upgrade) return [node];
  const result = operator.upgrade(node, from, emit);
  if (!('severity' in result)) return result;
  found.push(result);
  return [node];
}

function upgradeSubgraphs(node: Node, from: number, fresh: (hint: string) => string, found: Diagnostic[]): Node {
  const changed = new Map<string, Attribute>();
  for (const [name, entry] of node.attributes)
    if (entry.kind === 'graph')
      changed.set(name, { kind: 'graph', value: upgradeScope(entry.value, from, fresh, found) });
  return changed.size === 0 ? node : { ...node, attributes: new Map([...node.attributes, ...changed]) };
}

function hasOtherOperator(graph: Graph): boolean {
  return graph.nodes.some(
    ({ domain, op }) => domain === '' && !((findOperator('', op)?.since ?? Infinity) <= DIALECT_OPSET),
  );
}
