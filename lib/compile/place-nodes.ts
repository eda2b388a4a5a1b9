import type { Diagnostic } from '../core/diagnostic';
import { subgraphsOf } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import { PLAN_OPS } from '../plan/plan-ops';
import { lowerGraph } from './lower-graph';
import type { Step } from './step';

/** How the native engine computes a node: with integers, in float, or not at all. */
export type NodePlace = 'int8' | 'float' | 'none';

/** Where the nodes of a graph would run. */
export interface Placement {
  readonly placeOf: (node: Node) => NodePlace;
  /** Why a layer with quantized tensors runs in float all the same, by node. */
  readonly floatReasons: ReadonlyMap<string, string>;
  /** What the engine lacks, one per node. */
  readonly missing: readonly Diagnostic[];
}

/** Where each node of a prepared graph runs on the native engine. A node without a step of its own runs where its input came from. */
export function placeNodes(graph: Graph): Placement {
  const { state } = lowerGraph(graph);
  const { diagnostics: missing, floatReasons, program } = state;
  const refused = new Set(missing.map(({ where }) => where));
  const steps = new Map<string, NodePlace>();
  for (const step of program.steps) for (const name of mainNodes(step)) steps.set(name, placeOfStep(step));
  const places = new Map<Node, NodePlace>();
  const ofValue = new Map<string, NodePlace>();
  for (const node of graph.nodes) {
    // What chooses a branch says nothing of the layers in it.
    const before = (subgraphsOf(node).length > 0 ? [] : node.inputs)
      .map((input) => ofValue.get(input))
      .find((place) => place !== undefined && place !== 'none');
    // The steps around a layer in float make and take integers, under its name too.
    const own = floatReasons.has(node.name) ? 'float' : steps.get(node.name);
    const place = refused.has(node.name) ? 'none' : (own ?? before ?? 'float');
    places.set(node, place);
    for (const output of node.outputs) ofValue.set(output, place);
  }
  return { placeOf: (node) => places.get(node) ?? 'none', floatReasons, missing };
}

/** Names that the main node of a step may have: what follows a `+` are activations, or the rest of its own name. */
function mainNodes({ name }: Step): string[] {
  return [...name.matchAll(/\+|$/g)].map(({ index }) => name.slice(0, index));
}

function placeOfStep({ op, outputs }: Step): NodePlace {
  const { domain } = PLAN_OPS[op];
  if (domain !== 'any') return domain;
  return outputs[0].buffer.type === 'float32' ? 'float' : 'int8';
}
