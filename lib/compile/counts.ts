import type { Dim } from '../ir/graph';
import { termsOf } from '../ops/dims';
import { combineIntegers } from './families/combine-integers';
import type { Network } from './network';
import type { Program } from './program';
import { Unsupported } from './unsupported';
import { plainView, type View } from './view';

/** What tells, in a run, the extents that only it decides: int64 of one element each. */
export class Counts {
  private readonly network: Network;
  private readonly program: Program;
  private readonly views = new Map<Dim, View>();

  constructor(network: Network, program: Program) {
    this.network = network;
    this.program = program;
  }

  /** Records what tells the extent of an axis of a value: one element. */
  set(value: string, axis: number, count: View): void {
    const dim = this.network.shapeOf(value)?.[axis];
    if (typeof dim === 'string') this.views.set(dim, { ...count, dims: [] });
  }

  /** An extent, computed from those that were recorded. @throws Unsupported where one of them was not */
  of(dim: Dim): View {
    const known = this.views.get(dim) ?? (typeof dim === 'number' ? this.number(dim) : this.sum(dim));
    this.views.set(dim, known);
    return known;
  }

  /** An extent in memory of its own, which nobody writes over before the run ends. */
  kept(dim: Dim): View {
    const { program } = this;
    const target = plainView(program.buffer(`${dim}:kept`, 'int64', 1), []);
    program.copy(`${dim}:keep`, this.of(dim), target);
    return target;
  }

  private sum(dim: string): View {
    const products = termsOf(dim).map(({ coefficient, symbols }) => {
      if (symbols.length === 1 && symbols[0] === dim) throw new Unsupported(`nothing tells the extent ${dim}`);
      const factors = symbols.map((symbol) => this.of(symbol));
      const whole = coefficient === 1 && factors.length > 0 ? factors : [this.number(coefficient), ...factors];
      return whole.reduce((a, b) => this.combine(dim, 'multiply', a, b));
    });
    return products.reduce((a, b) => this.combine(dim, 'add', a, b));
  }

  /** The smaller, larger, ... of two numbers. */
  combine(name: string, operation: Parameters<typeof combineIntegers>[1], a: View, b: View): View {
    return combineIntegers({ program: this.program, name, value: name, extents: [] }, operation, [a, b]);
  }

  /** A constant. */
  number(value: number): View {
    const bytes = BigInt64Array.of(BigInt(value));
    return plainView(this.program.constant(`${value}`, 'int64', [], bytes).buffer, []);
  }
}
