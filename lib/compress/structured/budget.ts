import { typeOf } from '../../ir/edit';
import type { Graph, Node, ValueType } from '../../ir/graph';
import { findOperator } from '../../ops';
import type { Dependencies, Unit } from './dependencies';

/** What a graph costs while units are taken out of it, without building the smaller graphs. Symbols of shapes count as 1. */
export class Budget {
  private readonly gone = new Map<string, number[]>();
  private readonly graph: Graph;
  private readonly nodes: readonly { readonly node: Node; readonly weight: number }[];
  private readonly byValue = new Map<string, number[]>();
  private readonly layerAxes: ReadonlyMap<Node, { readonly value: string; readonly axis: number }>;
  private readonly multiple: number;

  /**
   * @param multiple channels that a kernel computes at a time: the weighed cost of a layer is that of full steps
   * @param times measured time per node; without it a MAC weighs 1 everywhere
   */
  constructor(
    graph: Graph,
    { layers }: Dependencies,
    multiple: number,
    times: Readonly<Record<string, number>> | undefined,
  ) {
    this.graph = graph;
    this.multiple = multiple;
    this.layerAxes = new Map(layers.map(({ node, value, axis }) => [node, { value, axis }]));
    const counted = graph.nodes.filter((node) => this.macsOf(node) > 0);
    this.nodes = counted.map((node) => ({
      node,
      weight: times ? (times[node.name] ?? 0) / this.steppedMacs(node) : 1,
    }));
    counted.forEach((node, index) => {
      for (const value of [...node.inputs, ...node.outputs])
        this.byValue.set(value, [...(this.byValue.get(value) ?? []), index]);
    });
  }

  /** Multiply-accumulates of one sample, of all nodes. */
  macs(): number {
    return this.nodes.reduce((sum, { node }) => sum + this.macsOf(node), 0);
  }

  remove(units: readonly Unit[]): void {
    this.change(units, 1);
  }

  /** How much less MACs, and less weighed cost, there would be without further units. */
  saving(units: readonly Unit[]): { readonly macs: number; readonly cost: number } {
    const touched = new Set(
      units.flatMap(({ members }) => members.flatMap(({ value }) => this.byValue.get(value) ?? [])),
    );
    const sum = () => {
      let [macs, cost] = [0, 0];
      for (const index of touched) {
        const { node, weight } = this.nodes[index];
        macs += this.macsOf(node);
        cost += weight * this.steppedMacs(node);
      }
      return { macs, cost };
    };
    const before = sum();
    this.change(units, 1);
    const after = sum();
    this.change(units, -1);
    return { macs: before.macs - after.macs, cost: before.cost - after.cost };
  }

  /** Indices that an axis still has. */
  extent(value: string, axis: number): number {
    return this.typeOf(value)!.shape![axis] as number;
  }

  private change(units: readonly Unit[], sign: 1 | -1): void {
    for (const { members } of units)
      for (const { value, axis, indices } of members) {
        const counts = this.gone.get(value) ?? [];
        this.gone.set(value, counts);
        counts[axis] = (counts[axis] ?? 0) + sign * indices.length;
      }
  }

  private typeOf(value: string): ValueType | undefined {
    const type = value === '' ? undefined : typeOf(this.graph, value);
    if (!type?.shape) return type;
    const counts = this.gone.get(value);
    return {
      type: type.type,
      shape: type.shape.map((dim, axis) => (typeof dim === 'number' ? dim - (counts?.[axis] ?? 0) : 1)),
    };
  }

  private macsOf(node: Node): number {
    const cost = findOperator(node.domain, node.op)?.cost;
    const [inputs, outputs] = [node.inputs, node.outputs].map((names) => names.map((name) => this.typeOf(name)));
    if ([...inputs, ...outputs].some((type, index) => named(node, index) && !type?.shape)) return 0;
    return cost?.(inputs, outputs, node).macs ?? 0;
  }

  private steppedMacs(node: Node): number {
    const layer = this.layerAxes.get(node);
    if (!layer) return this.macsOf(node);
    const extent = this.extent(layer.value, layer.axis);
    return (this.macsOf(node) * Math.ceil(extent / this.multiple) * this.multiple) / extent;
  }
}

function named(node: Node, index: number): boolean {
  return [...node.inputs, ...node.outputs][index] !== '';
}
