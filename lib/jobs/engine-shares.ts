import { type NodePlace, type Placement, placeNodes } from '../compile/place-nodes';
import { macsOf, measureMacs, oneSample } from '../compress/count-macs';
import type { Diagnostic } from '../core/diagnostic';
import { subgraphsOf } from '../ir/edit';
import { byteLength } from '../ir/element-type';
import type { Graph, Node, ValueType } from '../ir/graph';
import { elementCount, type Tensor } from '../ir/tensor';
import { constantsAmong } from './count-parameters';

/** What of a network runs in one way on the native engine. */
export interface EngineShare {
  readonly place: NodePlace;
  /** Multiply-accumulates of one sample; null when they are not known. */
  readonly macs: number | null;
  /** Bytes of weights, as the graph holds them, by the node that reads them first. */
  readonly weightBytes: number;
}

/** Nodes of one operator that the engine lacks, or computes in float in a quantized network, for the same reason. */
export interface EngineGroup {
  readonly place: 'float' | 'none';
  readonly op: string;
  readonly reason: string;
  readonly nodes: readonly string[];
}

/** How the native engine would run a network. */
export interface EngineView {
  readonly shares: readonly EngineShare[];
  /** What does not run as well as it could, the largest groups first. */
  readonly groups: readonly EngineGroup[];
  /** What the engine lacks; empty when it runs the whole network. */
  readonly missing: readonly Diagnostic[];
}

/** How the native engine would run a prepared graph: shares of its cost, and what it lacks. */
export function engineView(graph: Graph): EngineView {
  const placement = placeNodes(graph);
  return { shares: sharesOf(graph, placement), groups: groupsOf(graph, placement), missing: placement.missing };
}

function sharesOf(graph: Graph, { placeOf }: Placement): EngineShare[] {
  const bound = oneSample(graph);
  const typeOf = (name: string): ValueType | undefined => {
    const tensor = bound.initializers.get(name);
    return tensor ? { type: tensor.type, shape: tensor.dims } : bound.values.get(name);
  };
  const { macs: all, unknown } = measureMacs(graph);
  const macs: Record<NodePlace, number> = { int8: 0, float: 0, none: 0 };
  const weightBytes: Record<NodePlace, number> = { int8: 0, float: 0, none: 0 };
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const seen = new Set<Tensor>();
  graph.nodes.forEach((node, index) => {
    const place = placeOf(node);
    macs[place] += macsOf(bound.nodes[index] ?? node, typeOf) ?? 0;
    for (const tensor of weightsOf(node, graph, producers)) {
      if (!seen.has(tensor)) weightBytes[place] += byteLength(tensor.type, elementCount(tensor.dims));
      seen.add(tensor);
    }
  });
  // The rest is in bodies of loops and branches, which the engine does not run.
  macs.none += all - macs.int8 - macs.float - macs.none;
  return (['int8', 'float', 'none'] as const).map((place) => ({
    place,
    macs: unknown.length > 0 ? null : macs[place],
    weightBytes: weightBytes[place],
  }));
}

/** Constants that a node reads, quantized ones through their DequantizeLinear, and those of its bodies. */
function weightsOf(node: Node, graph: Graph, producers: ReadonlyMap<string, Node>): Tensor[] {
  const own = node.op === 'DequantizeLinear' ? [] : node.inputs;
  const read = own.flatMap((input) => {
    const producer = producers.get(input);
    const name = producer?.op === 'DequantizeLinear' ? producer.inputs[0] : input;
    return graph.initializers.get(name) ?? [];
  });
  return [...constantsAmong(read), ...subgraphsOf(node).flatMap((body) => [...constantsAmong(body)])];
}

function groupsOf(graph: Graph, { placeOf, floatReasons, missing }: Placement): EngineGroup[] {
  const ops = new Map(graph.nodes.map((node) => [node.name, node.op]));
  const groups = new Map<string, EngineGroup & { readonly nodes: string[] }>();
  const add = (place: EngineGroup['place'], name: string, op: string, reason: string): void => {
    const key = [place, op, reason].join('\n');
    const group = groups.get(key) ?? { place, op, reason, nodes: [] };
    group.nodes.push(name);
    groups.set(key, group);
  };
  for (const { where, message } of missing) {
    // Messages begin with the operator, or with what else is meant, such as a graph input.
    const [op, ...reason] = message.split(': ');
    add('none', where, ops.get(where) ?? op, reason.join(': '));
  }
  for (const node of graph.nodes)
    if (placeOf(node) === 'float' && floatReasons.has(node.name))
      add('float', node.name, node.op, floatReasons.get(node.name)!);
  return [...groups.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}
