import { type GraphPatch, nameMaker, patchGraph, usesOf } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import type { Guard } from './guards';
import { type Match, matchPattern, type NodePattern, type PatternContext } from './pattern';

/** What a rewrite rule may ask and make. */
export interface RewriteContext extends PatternContext {
  /** A name that nothing has yet. */
  fresh(hint: string): string;
  /** Adds a constant; returns its name. */
  add(hint: string, tensor: Tensor): string;
}

/** What a rule changes when it matches. */
export type Rewrite = Pick<GraphPatch, 'replace' | 'redirect'>;

/** A local rewrite: where `pattern` fits and all `guards` hold, `replace` says what stands there instead. */
export interface Rule {
  /** Unique among all rules. */
  readonly name: string;
  /** What it does, in one line for people. */
  readonly summary: string;
  /** The nodes that it looks at, the last one first. */
  readonly pattern: NodePattern;
  readonly guards?: readonly Guard[];
  /** The change; undefined where the numbers do not allow it. */
  readonly replace: (match: Match, context: RewriteContext) => Rewrite | undefined;
}

/** One application of a rule. */
export interface Application {
  readonly rule: string;
  /** Names of the nodes that the pattern found, the last one first. */
  readonly nodes: readonly string[];
}

/** Learns of every application of a rule as it happens. */
export type Trace = (application: Application) => void;

/**
 * The graph after applying the rules everywhere until none matches; of several that match a node the first counts. Matches of
 * one sweep never touch the same nodes; what they leave is found by the next. Returns the same graph when nothing matches.
 */
export function applyRules(graph: Graph, rules: readonly Rule[], trace?: Trace): Graph {
  const byOp = new Map<string, Rule[]>();
  for (const rule of rules)
    for (const op of rule.pattern.ops) {
      const list = byOp.get(op);
      if (list) list.push(rule);
      else byOp.set(op, [rule]);
    }
  let current = graph;
  // Every rule shrinks the graph or makes it more regular; the bound only stops a defect from running forever.
  for (let sweep = 0; sweep < 1000; sweep++) {
    const next = applyOnce(current, byOp, trace);
    if (next === current) return current;
    current = next;
  }
  return current;
}

function applyOnce(graph: Graph, byOp: ReadonlyMap<string, readonly Rule[]>, trace: Trace | undefined): Graph {
  if (!graph.nodes.some(({ op }) => byOp.has(op))) return graph;
  const added = new Map<string, Tensor>();
  const context = rewriteContextOf(graph, added);
  const replace = new Map<Node, readonly Node[]>();
  const redirect = new Map<string, string>();
  const touched = new Set<string>();
  for (const node of graph.nodes) {
    for (const rule of byOp.get(node.op) ?? []) {
      const found = applyTo(rule, node, context);
      if (!found) continue;
      const { match, change } = found;
      const names = namesIn(change, node);
      if (names.some((name) => touched.has(name))) break;
      for (const name of names) touched.add(name);
      for (const [from, to] of change.replace ?? []) replace.set(from, to);
      for (const [from, to] of change.redirect ?? []) redirect.set(from, to);
      trace?.({ rule: rule.name, nodes: match.nodes.map(({ name }) => name) });
      break;
    }
  }
  if (replace.size === 0 && redirect.size === 0) return graph;
  return patchGraph(graph, { replace, redirect, initializers: added });
}

/** The change that a rule makes with `node` as the last node of its pattern; undefined when it does not apply. */
function applyTo(
  rule: Rule,
  node: Node,
  context: RewriteContext,
): { readonly match: Match; readonly change: Rewrite } | undefined {
  const match = matchRule(rule, node, context);
  const change = match && rule.replace(match, context);
  return change && { match, change };
}

/** How a rule fits with `node` as the last node of its pattern; undefined when it does not. */
export function matchRule({ pattern, guards = [] }: Rule, node: Node, context: PatternContext): Match | undefined {
  return matchPattern(pattern, node, context, (match) => guards.every(({ holds }) => holds(match, context)));
}

/** What patterns ask of a graph. */
export function patternContextOf(graph: Graph): PatternContext {
  return {
    ...usesOf(graph),
    constant: (value) => {
      const tensor = graph.initializers.get(value);
      return tensor?.type === 'string' ? undefined : tensor;
    },
    typeOf: (value) => {
      const tensor = graph.initializers.get(value);
      return tensor ? { type: tensor.type, shape: tensor.dims } : graph.values.get(value);
    },
  };
}

function rewriteContextOf(graph: Graph, added: Map<string, Tensor>): RewriteContext {
  // Most sweeps find nothing and need no names.
  let maker: ((hint: string) => string) | undefined;
  const fresh = (hint: string): string => {
    maker ??= nameMaker(graph);
    return maker(hint);
  };
  return {
    ...patternContextOf(graph),
    fresh,
    add: (hint, tensor) => {
      const name = fresh(hint);
      added.set(name, tensor);
      return name;
    },
  };
}

/** `node` replaced by these nodes, and the `absorbed` ones by nothing. */
export function replaceBy(node: Node, nodes: Node | readonly Node[], absorbed: readonly Node[] = []): Rewrite {
  const made = 'op' in nodes ? [nodes] : nodes;
  return { replace: new Map([...absorbed.map((each) => [each, []] as const), [node, made] as const]) };
}

/** Values that a change reads or makes anew; two changes of one sweep may not share any. */
function namesIn(change: Rewrite, node: Node): string[] {
  const nodes = [node, ...(change.replace?.keys() ?? []), ...[...(change.replace?.values() ?? [])].flat()];
  const made = nodes.flatMap(({ outputs }) => outputs);
  const moved = [...(change.redirect ?? [])].flat();
  return [...new Set([...made, ...moved])].filter((name) => name !== '');
}
