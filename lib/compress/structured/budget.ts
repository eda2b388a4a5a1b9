import { typeOf } from '../../ir/edit';
import type { Graph, Node, ValueType } from '../../ir/graph';
import { macsOf, oneSample } from '../count-macs';
import type { Target } from '../target';
import type { Unit } from './dependencies';
import { kernelCost } from './kernel-cost';

/** MACs of one sample, and the time that the target is modelled to take for them (no unit: only shares mean something). */
export interface Expense {
  readonly macs: number;
  readonly time: number;
}

/** What a graph costs while units are taken out of it, without building the smaller graphs: one sample, other symbols count as 1. */
export class Budget {
  private readonly gone = new Map<string, number[]>();
  private readonly graph: Graph;
  private readonly nodes: readonly { readonly node: Node; readonly weight: number }[];
  private readonly byValue = new Map<string, number[]>();
  private readonly target: Target;

  constructor(graph: Graph, target: Target) {
    this.graph = oneSample(graph);
    this.target = target;
    const counted = this.graph.nodes.filter((node) => this.macsOf(node) > 0);
    const modelled = counted.map((node) => this.modelled(node));
    const weigh = weightsFrom(counted, modelled, target.times);
    this.nodes = counted.map((node, index) => ({ node, weight: weigh[index] }));
    counted.forEach((node, index) => {
      for (const value of [...node.inputs, ...node.outputs])
        this.byValue.set(value, [...(this.byValue.get(value) ?? []), index]);
    });
  }

  /** What all nodes cost. */
  total(): Expense {
    return this.sum(this.nodes.keys());
  }

  /** What the node of this name costs; nothing when there is none. */
  expenseOf(name: string): Expense {
    return this.sum(this.nodes.flatMap(({ node }, place) => (node.name === name ? [place] : [])));
  }

  /** Measured time of the node of this name per modelled one. */
  weightOf(name: string): number {
    return this.nodes.find(({ node }) => node.name === name)?.weight ?? 0;
  }

  remove(units: readonly Unit[]): void {
    this.change(units, 1);
  }

  restore(units: readonly Unit[]): void {
    this.change(units, -1);
  }

  /** Places of the nodes that units take something from. */
  touched(units: readonly Unit[]): ReadonlySet<number> {
    return new Set(units.flatMap(({ members }) => members.flatMap(({ value }) => this.byValue.get(value) ?? [])));
  }

  /** What nodes, by place, cost. */
  sum(places: Iterable<number>): Expense {
    let [macs, time] = [0, 0];
    for (const place of places) {
      const { node, weight } = this.nodes[place];
      macs += this.macsOf(node);
      time += weight * this.modelled(node);
    }
    return { macs, time };
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
    const counts = this.gone.get(value);
    if (!type?.shape || !counts) return type;
    const shape = type.shape.map((dim, axis) => (typeof dim === 'number' ? dim - (counts[axis] ?? 0) : dim));
    return { type: type.type, shape };
  }

  private macsOf(node: Node): number {
    return macsOf(node, (name) => this.typeOf(name)) ?? 0;
  }

  private modelled(node: Node): number {
    const [inputs, outputs] = [node.inputs, node.outputs].map((names) => names.map((name) => this.typeOf(name)));
    return kernelCost(this.target.isa, node, inputs, outputs, this.macsOf(node));
  }
}

/** Measured time per modelled one, by node; nodes that were not measured get the mean of the others, and 1 where none was. */
function weightsFrom(nodes: readonly Node[], modelled: readonly number[], times: Target['times'] = {}): number[] {
  const isMeasured = ({ name }: Node) => times[name] !== undefined;
  const sumOf = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0);
  const known = sumOf(modelled.filter((_, index) => isMeasured(nodes[index])));
  const mean = known > 0 ? sumOf(nodes.filter(isMeasured).map(({ name }) => times[name])) / known : 1;
  return nodes.map((node, index) => (isMeasured(node) ? times[node.name] / modelled[index] : mean));
}
