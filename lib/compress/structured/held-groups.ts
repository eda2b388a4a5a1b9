import type { Graph, Node } from '../../ir/graph';
import type { MethodContext } from '../method';
import { skipReason } from '../skip';
import type { Dependencies } from './dependencies';
import type { StructuredOptions } from './structured-options';

/** Groups that a layer holds: one of theirs that is to keep its channels, or any weight of a node that must stay as it is. */
export function heldGroups(
  graph: Graph,
  dependencies: Dependencies,
  stays: (node: Node) => boolean,
  untouchable: ReadonlySet<string>,
): Set<number> {
  const names = new Set(graph.nodes.filter(stays).map(({ name }) => name));
  const constants = new Set(graph.nodes.filter(({ name }) => untouchable.has(name)).flatMap(({ inputs }) => inputs));
  const held = new Set<number>();
  dependencies.groups.forEach(({ layers, units }, index) => {
    const touches = units[0].members.some(({ value }) => graph.initializers.has(value) && constants.has(value));
    if (touches || layers.some((name) => names.has(name))) held.add(index);
  });
  return held;
}

/** Why a layer keeps all its channels; undefined when it need not. */
export function stayReason(
  node: Node,
  { skip }: StructuredOptions,
  { keep }: Pick<MethodContext, 'keep'>,
): string | undefined {
  return keep.has(node.name) ? 'it must stay as it is' : skipReason(node, skip);
}
