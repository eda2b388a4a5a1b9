import type { Diagnostic } from '../../core/diagnostic';
import { readsOf, subgraphsOf, typeOf } from '../../ir/edit';
import type { Graph, Node, ValueType } from '../../ir/graph';
import { findOperator } from '../../ops';
import type { CouplingContext, PortAxis, Ties } from '../../ops/operator';
import { IndexSets, type Member } from './index-sets';

/** The least that can be removed at once: indices of many axes that only go together. */
export interface Unit {
  readonly members: readonly Member[];
}

/** Units of the same make: each has as many indices on the same axes as any other. */
export interface Group {
  readonly units: readonly Unit[];
  /** Layers whose output channels (neurons, hidden units) the units are, in graph order. */
  readonly layers: readonly string[];
}

/** What there is to prune of one layer with parameters. */
export interface UnitLayer {
  readonly node: Node;
  /** The axis that counts its units: output channels, neurons, hidden units. */
  readonly value: string;
  readonly axis: number;
  readonly extent: number;
  /** Units that can go, as indices into `groups`; empty when none can. */
  readonly groups: readonly number[];
  /** Why some or all of its units have to stay. */
  readonly fixed?: string;
}

/** What hangs together in a graph. */
export interface Dependencies {
  readonly groups: readonly Group[];
  /** Every node with units of its own, in graph order. */
  readonly layers: readonly UnitLayer[];
}

/**
 * Which channels of a graph (dialect, shapes inferred) can be removed, and what goes with them: every index of every axis of
 * every value is a node of a graph of dependencies whose edges are the `coupling` rules of the operators; units are its
 * connected parts that nothing holds (after Fang et al. 2023, "DepGraph", who couple whole axes of layers instead).
 */
export function findDependencies(graph: Graph): Dependencies {
  const sets = new IndexSets((value) => typeOf(graph, value)?.shape);
  const layerAxes = new Map<Node, PortAxis>();
  const late: Node[] = [];
  for (const value of graph.inputs) sets.fixValue(value, `it reaches the graph input '${value}'`);
  for (const value of graph.outputs) sets.fixValue(value, `it reaches the graph output '${value}'`);
  for (const node of graph.nodes) {
    if (findOperator(node.domain, node.op)?.coupling?.late) late.push(node);
    else tieNode(graph, node, sets, layerAxes);
  }
  for (const node of late) tieNode(graph, node, sets, layerAxes);
  return collect(sets, layerAxes);
}

/** The value at a side of a node; an empty name when it is left out. */
export function valueAt(node: Node, { of, index }: Pick<PortAxis, 'of' | 'index'>): string {
  return (of === 'input' ? node.inputs : node.outputs)[index] ?? '';
}

function tieNode(graph: Graph, node: Node, sets: IndexSets, layerAxes: Map<Node, PortAxis>): void {
  const found = tiesOf(graph, node, sets);
  const reason = 'severity' in found ? `: ${found.message}` : '';
  const { ties, layer } = 'severity' in found ? { ties: [], layer: undefined } : found;
  const named = new Set<string>();
  for (const { from, to, map } of ties) {
    const [a, b] = [valueAt(node, from), valueAt(node, to)];
    if (a === '' || b === '') continue;
    if (!sets.has(a, from.axis) || !sets.has(b, to.axis)) continue;
    sets.tie(a, from.axis, b, to.axis, map ?? ((index) => index));
    named.add(`${a} ${from.axis}`).add(`${b} ${to.axis}`);
  }
  for (const value of [...readsOf(node), ...node.outputs]) {
    if (value === '') continue;
    for (let axis = 0; axis < sets.rank(value); axis++) {
      if (named.has(`${value} ${axis}`)) continue;
      sets.fixAxis(value, axis, `node ${node.name} (${node.op}) needs axis ${axis} of '${value}' whole${reason}`);
    }
  }
  if (layer) layerAxes.set(node, layer);
}

function tiesOf(graph: Graph, node: Node, sets: IndexSets): Ties | Diagnostic {
  const coupling = subgraphsOf(node).length > 0 ? undefined : findOperator(node.domain, node.op)?.coupling;
  if (!coupling)
    return { severity: 'error', kind: 'coupling', where: node.name, message: 'no coupling rule is known for it' };
  const typed = (value: string): ValueType | undefined => (value === '' ? undefined : typeOf(graph, value));
  const context: CouplingContext = {
    node,
    inputs: node.inputs.map(typed),
    outputs: node.outputs.map(typed),
    constant: (index) => graph.initializers.get(node.inputs[index]),
    isFixed: (place) => sets.isFixed(valueAt(node, place), place.axis),
  };
  return coupling.ties(context);
}

function collect(sets: IndexSets, layerAxes: ReadonlyMap<Node, PortAxis>): Dependencies {
  const places = [...layerAxes].map(([node, place]) => ({ node, value: valueAt(node, place), axis: place.axis }));
  const counted = places.filter(({ value, axis }) => value !== '' && sets.has(value, axis));
  const wanted = new Set(counted.flatMap(({ value, axis }) => sets.free(value, axis)));
  const members = sets.members(wanted);
  const groups: { units: Unit[]; layers: string[] }[] = [];
  const bySignature = new Map<string, number>();
  const groupOf = new Map<number, number>();
  for (const [set, list] of members) {
    const signature = list.map(({ value, axis, indices }) => `${value} ${axis} ${indices.length}`).join('\n');
    const index = bySignature.get(signature) ?? groups.push({ units: [], layers: [] }) - 1;
    bySignature.set(signature, index);
    groups[index].units.push({ members: list });
    groupOf.set(set, index);
  }
  const layers = counted.map(({ node, value, axis }): UnitLayer => {
    const own = [...new Set(sets.free(value, axis).map((set) => groupOf.get(set)!))];
    for (const index of own) groups[index].layers.push(node.name);
    const fixed = sets.reason(value, axis);
    return { node, value, axis, extent: sets.extent(value, axis), groups: own, ...(fixed !== undefined && { fixed }) };
  });
  return { groups, layers };
}
