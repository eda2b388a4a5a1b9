import type { Dim, Graph, Node, ValueType } from '../ir/graph';
import { findOperator } from '../ops';
import { unknownDim } from '../ops/axes';
import { termsOf } from '../ops/dims';
import type { LowerContext } from '../ops/operator';

/** Constants that the inputs of a node are. */
type Constants = (node: Node) => LowerContext['constant'];

/** Extents that only a run decides, with the most that each can be: those of NonZero and the like, and sums of them. */
export class BoundedExtents {
  private readonly limits = new Map<string, number>();
  private readonly types = new Map<string, ValueType>();

  constructor(graph: Graph, constants: Constants) {
    for (const node of graph.nodes) {
      const most = findOperator(node.domain, node.op)?.most;
      if (most === undefined) continue;
      const typeOf = (name: string) => {
        const tensor = graph.initializers.get(name);
        return tensor ? { type: tensor.type, shape: tensor.dims } : this.greatest(graph.values.get(name));
      };
      const [inputs, outputs] = [node.inputs.map(typeOf), node.outputs.map(typeOf)];
      const found = most({ node, inputs, outputs, constant: constants(node) });
      for (const [index, output] of node.outputs.entries())
        for (const [axis, extent] of (found[index] ?? []).entries()) {
          const symbol = unknownDim(output, axis);
          if (graph.values.get(output)?.shape?.[axis] === symbol) this.limits.set(symbol, extent);
        }
    }
    if (this.limits.size === 0) return;
    for (const [name, type] of graph.values) {
      const known = this.greatest(type);
      if (known !== type && known) this.types.set(name, known);
    }
  }

  /** The type of a value with the most that its extents can be; `type` where none is bounded. */
  typeOf(value: string, type: ValueType | undefined): ValueType | undefined {
    return this.types.get(value) ?? type;
  }

  /** Whether a run decides some extent of a value within a bound. */
  has(value: string): boolean {
    return this.types.has(value);
  }

  /** Whether a run decides an extent within a bound. */
  isBounded(dim: Dim | undefined): boolean {
    return typeof dim === 'string' && this.most(dim) !== undefined;
  }

  /** The most that an extent can be; undefined where a symbol of it has no bound. */
  most(dim: Dim): number | undefined {
    if (typeof dim === 'number') return dim;
    let sum = 0;
    for (const { coefficient, symbols } of termsOf(dim)) {
      const factors = symbols.map((symbol) => this.limits.get(symbol));
      if (factors.includes(undefined)) return undefined;
      // Every symbol may be 0.
      if (symbols.length === 0 || coefficient > 0)
        sum += factors.reduce<number>((product, factor) => product * factor!, coefficient);
    }
    return sum;
  }

  private greatest(type: ValueType | undefined): ValueType | undefined {
    const dims = type?.shape?.map((dim) => this.most(dim) ?? dim);
    const changed = dims?.some((dim, axis) => dim !== type!.shape![axis]);
    return changed ? { ...type!, shape: dims } : type;
  }
}
