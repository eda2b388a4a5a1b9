import { typeOf } from '../../ir/edit';
import type { Graph, Node, ValueType } from '../../ir/graph';
import { hasStatistics } from '../../ops/facts';
import { macsOf, oneSample } from '../count-macs';
import type { EngineTarget } from '../target';
import type { Unit } from './dependencies';
import { isSum, kernelCost } from './kernel-cost';

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
  private readonly target: EngineTarget;
  /** Values that a sum of two activations reads. */
  private readonly summed: ReadonlySet<string>;

  constructor(graph: Graph, target: EngineTarget) {
    this.graph = oneSample(graph);
    this.target = target;
    this.summed = this.findSummed();
    const counted = this.graph.nodes
      .map((node) => ({ node, macs: this.macsOf(node), modelled: this.modelled(node) }))
      .filter(({ modelled }) => modelled > 0);
    const weights = weightsFrom(counted, target.times);
    this.nodes = counted.map(({ node }, index) => ({ node, weight: weights[index] }));
    counted.forEach(({ node }, index) => {
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

  private findSummed(): Set<string> {
    const typed = (names: readonly string[]) => names.map((name) => this.typeOf(name));
    const summed = new Set<string>();
    for (const node of this.graph.nodes.toReversed()) {
      const { op, inputs, outputs } = node;
      if (op === 'Add' && isSum(typed(inputs), typed(outputs))) for (const name of inputs) summed.add(name);
      // It will be part of the layer before it.
      if (hasStatistics(node) && summed.has(outputs[0])) summed.add(inputs[0]);
    }
    return summed;
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
    const summed = this.summed.has(node.outputs[0]);
    return kernelCost(this.target.isa, node, inputs, outputs, { macs: this.macsOf(node), summed });
  }
}

/** A node as it is at first. */
interface Counted {
  readonly node: Node;
  readonly macs: number;
  readonly modelled: number;
}

/**
 * Measured time per modelled one, by node; 1 where nothing was measured. Layers without a time get the mean of the others, sums
 * none: the engine computes them with a layer, whose time holds theirs.
 */
function weightsFrom(nodes: readonly Counted[], times: EngineTarget['times']): number[] {
  if (!times) return nodes.map(() => 1);
  const measured = nodes.filter(({ node }) => times[node.name] !== undefined);
  const sumOf = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0);
  const known = sumOf(measured.map(({ modelled }) => modelled));
  const mean = known > 0 ? sumOf(measured.map(({ node }) => times[node.name])) / known : 1;
  return nodes.map(({ node, macs, modelled }) => {
    const time = times[node.name];
    if (time !== undefined) return time / modelled;
    return macs > 0 ? mean : 0;
  });
}
