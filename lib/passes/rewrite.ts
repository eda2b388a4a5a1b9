import { type GraphPatch, nameMaker, patchGraph, type Uses, usesOf } from '../ir/edit';
import type { Graph, Node, ValueType } from '../ir/graph';
import type { Tensor } from '../ir/tensor';

/** What a rewrite rule may ask and make. */
export interface RewriteContext extends Uses {
  readonly graph: Graph;
  /** Constant value of a name, when it is an initializer of numbers: rules compute with it. */
  constant(value: string): Tensor | undefined;
  typeOf(value: string): ValueType | undefined;
  /** A name that nothing has yet. */
  fresh(hint: string): string;
  /** Adds a constant; returns its name. */
  add(hint: string, tensor: Tensor): string;
}

/** What a rule changes when it matches. */
export type Rewrite = Pick<GraphPatch, 'replace' | 'redirect'>;

/** Looks at one node; returns a change, or undefined when it does not match. */
export type Rule = (node: Node, context: RewriteContext) => Rewrite | undefined;

/**
 * The graph after applying the rules everywhere until none matches. Matches of one sweep never touch the same nodes;
 * what they leave is found by the next. Returns the same graph when nothing matches.
 */
export function applyRules(graph: Graph, rules: readonly Rule[]): Graph {
  let current = graph;
  // Every rule shrinks the graph or makes it more regular; the bound only stops a defect from running forever.
  for (let sweep = 0; sweep < 1000; sweep++) {
    const next = applyOnce(current, rules);
    if (next === current) return current;
    current = next;
  }
  return current;
}

function applyOnce(graph: Graph, rules: readonly Rule[]): Graph {
  const added = new Map<string, Tensor>();
  const context = contextOf(graph, added);
  const replace = new Map<Node, readonly Node[]>();
  const redirect = new Map<string, string>();
  const touched = new Set<string>();
  for (const node of graph.nodes) {
    for (const rule of rules) {
      const change = rule(node, context);
      if (!change) continue;
      const names = namesIn(change, node);
      if (names.some((name) => touched.has(name))) break;
      for (const name of names) touched.add(name);
      for (const [from, to] of change.replace ?? []) replace.set(from, to);
      for (const [from, to] of change.redirect ?? []) redirect.set(from, to);
      break;
    }
  }
  if (replace.size === 0 && redirect.size === 0) return graph;
  return patchGraph(graph, { replace, redirect, initializers: added });
}

function contextOf(graph: Graph, added: Map<string, Tensor>): RewriteContext {
  const fresh = nameMaker(graph);
  return {
    ...usesOf(graph),
    graph,
    constant: (value) => {
      const tensor = graph.initializers.get(value);
      return tensor?.type === 'string' ? undefined : tensor;
    },
    typeOf: (value) => {
      const tensor = graph.initializers.get(value);
      return tensor ? { type: tensor.type, shape: tensor.dims } : graph.values.get(value);
    },
    fresh,
    add: (hint, tensor) => {
      const name = fresh(hint);
      added.set(name, tensor);
      return name;
    },
  };
}

/** Values that a change reads or makes anew; two changes of one sweep may not share any. */
function namesIn(change: Rewrite, node: Node): string[] {
  const nodes = [node, ...(change.replace?.keys() ?? []), ...[...(change.replace?.values() ?? [])].flat()];
  const made = nodes.flatMap(({ outputs }) => outputs);
  const moved = [...(change.redirect ?? [])].flat();
  return [...new Set([...made, ...moved])].filter((name) => name !== '');
}
