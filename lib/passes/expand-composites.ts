import type { Diagnostic } from '../core/diagnostic';
import { attributes } from '../ir/attribute';
import { identityNode, makeNames, namesOf, patchGraph } from '../ir/edit';
import type { Graph, Node, ValueType } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import { findOperator } from '../ops';
import { type CompositeContext, Refused } from '../ops/composites/composite';
import { findComposite } from '../ops/composites/find-composite';
import { formulas } from '../ops/gradients';
import type { Emitter } from '../ops/operator';
import { problem } from '../ops/schema';
import { Inference, type InferenceMemory } from './inference';

/**
 * The graph with plain nodes in the place of every composite operator (Attention, Einsum, the fused forms of com.microsoft, ...)
 * of which enough is known: what compression and the engine know of the parts holds for the whole. Returns the same graph when there is
 * nothing to do.
 */
export function expandComposites(graph: Graph, memory?: InferenceMemory): Graph {
  if (!graph.nodes.some(isComposite)) return graph;
  const expansion = new Expansion(graph, memory);
  const replace = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    const parts = isComposite(node) ? expansion.expand(node) : undefined;
    if (Array.isArray(parts)) replace.set(node, parts as readonly Node[]);
    else expansion.visit(node);
  }
  if (replace.size === 0) return graph;
  return patchGraph(graph, { replace, initializers: expansion.constants, opsets: new Map([['', expansion.opset]]) });
}

/** Why composite operators stand in a graph still, by node. */
export function refusedComposites(graph: Graph): ReadonlyMap<Node, string> {
  const reasons = new Map<Node, string>();
  if (!graph.nodes.some(isComposite)) return reasons;
  const expansion = new Expansion(graph);
  for (const node of graph.nodes) {
    const reason = isComposite(node) ? expansion.expand(node) : undefined;
    if (typeof reason === 'string') reasons.set(node, reason);
    expansion.visit(node);
  }
  return reasons;
}

/** A warning for every composite operator that is left. */
export function leftComposites(graph: Graph): readonly Diagnostic[] {
  return [...refusedComposites(graph)].map(([node, reason]) => ({
    ...problem(node, 'unknown-operator', `${reason}; the node is left as it is`),
    severity: 'warning' as const,
  }));
}

function isComposite({ domain, op }: Node): boolean {
  return findComposite(domain, op) !== undefined;
}

/** Thrown where a composite asks for what is not known (yet). */
class Unknown extends Error {}

/** Takes the nodes of one graph in order, and makes nodes that take the place of some. */
class Expansion {
  readonly constants = new Map<string, Tensor>();
  opset: number;
  private readonly inference: Inference;
  private readonly fresh: (hint: string) => string;

  constructor(graph: Graph, memory?: InferenceMemory) {
    this.inference = new Inference(graph, memory);
    this.fresh = makeNames(namesOf(graph));
    this.opset = graph.opsets.get('') ?? 0;
  }

  visit(node: Node): void {
    this.inference.visit(node);
  }

  /** The nodes that do what a composite does, or why there are none. */
  expand(node: Node): readonly Node[] | string {
    const composite = findComposite(node.domain, node.op)!;
    const nodes: Node[] = [];
    try {
      const results = composite(this.contextOf(node, nodes));
      for (const [index, output] of node.outputs.entries()) {
        if (output === '') continue;
        const result = results[index];
        if (result === undefined) throw new Refused(`output ${index} is not supported`);
        nodes.push(identityNode(this.fresh(`${node.name}/${output}`), result, output));
        this.visit(nodes.at(-1)!);
      }
    } catch (error) {
      if (error instanceof Refused || error instanceof Unknown) return error.message;
      throw error;
    }
    for (const { op } of nodes) this.opset = Math.max(this.opset, findOperator('', op)?.since ?? 0);
    return nodes;
  }

  private contextOf(node: Node, nodes: Node[]): CompositeContext {
    const { inference } = this;
    const typeOf = (value: string): ValueType => known(inference.typeOf(value), `the type of '${value}' is not known`);
    const shapeOf = (value: string) => known(typeOf(value).shape, `the rank of '${value}' is not known`);
    const emit = this.emitterOf(node, nodes, typeOf);
    return {
      node,
      emit,
      f: formulas(emit),
      input: (index) => node.inputs[index] || undefined,
      wants: (index) => (node.outputs[index] ?? '') !== '',
      rankOf: (value) => shapeOf(value).length,
      elementTypeOf: (value) => typeOf(value).type,
      extent: (value, axis) => {
        const dim = shapeOf(value).at(axis);
        if (typeof dim !== 'number')
          throw new Unknown(`expected numbers for the shape [${shapeOf(value)}] of '${value}'`);
        return dim;
      },
    };
  }

  private emitterOf(place: Node, nodes: Node[], typeOf: (value: string) => ValueType): Emitter {
    const add: Emitter['nodes'] = (op, inputs, count, values = {}, options) => {
      const name = this.fresh(`${place.name}/${op}`);
      const outputs = Array.from({ length: count }, (_, at) => (at === 0 ? name : this.fresh(`${name}/${at}`)));
      const made: Node = { name, op, domain: options?.domain ?? '', inputs, outputs, attributes: attributes(values) };
      const fault = this.inference.visit(made).find(({ severity }) => severity === 'error');
      if (fault) throw new Refused(fault.message);
      nodes.push(made);
      return outputs;
    };
    return {
      nodes: add,
      node: (op, inputs, values, options) => add(op, inputs, 1, values, options)[0],
      constant: (tensor) => {
        const name = this.fresh(`${place.name}/constant`);
        this.constants.set(name, tensor);
        this.inference.setConstant(name, tensor);
        return name;
      },
      constantOf: (value) => this.inference.constantOf(value),
      typeOf: (value) => {
        const type = typeOf(value);
        if (!type.shape?.every((dim) => typeof dim === 'number'))
          throw new Unknown(`expected numbers for the shape [${type.shape}] of '${value}'`);
        return type;
      },
    };
  }
}

function known<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Unknown(otherwise);
  return value;
}
