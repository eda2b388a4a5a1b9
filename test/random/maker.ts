import type { Rng } from '../../lib/core/rng';
import { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import type { ElementType } from '../../lib/ir/element-type';
import type { Node } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, type ViewType } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import type { Dense, Precision } from '../../lib/ops/operator';
import { evaluateNode } from './evaluate-node';
import { drawNumbers, type Range } from './numbers';

/** A value of a graph in the making, with what it is for the inputs of this graph. */
export interface Value {
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Its elements where every operator rounds to float32, and where none rounds. */
  readonly rounded: Dense;
  readonly exact: Dense;
  /** Elements of a constant, or of an input that nothing reads so far. */
  readonly tensor?: Tensor;
}

/** What an operand has to be; whatever is left out may be anything. */
export interface Want {
  readonly types?: readonly ViewType[];
  readonly ranks?: readonly [least: number, most: number];
  /** Bounds of all elements. */
  readonly within?: Range;
  readonly fits?: (dims: readonly number[]) => boolean;
  /** Infinities and NaN may be among them. */
  readonly special?: boolean;
}

type AttributeValues = Parameters<typeof attributes>[0];

/** Values have fewer elements than this, so that many graphs can be tried. */
export const LARGEST = 2500;
/** Numbers beyond this come from no operator: sums of their squares stay floats. */
const FARTHEST = 1e12;
/** What rounding to float32 may make of a value, relative to 1 + its size: a tenth of what executors may differ by. */
const UNSETTLED = 1e-5;

/** Names and results that the graph and all bodies within it share. */
interface Shared {
  names: number;
  readonly opset: number;
  readonly feeds: Map<string, Tensor>;
  /** Operators of the nodes that were taken. */
  readonly taken: string[];
  /** All values that have a name. */
  readonly values: Map<string, Value>;
}

/**
 * Draws a graph node by node, and evaluates every node as it comes: only nodes whose results say something are taken (no
 * overflow, no result that is mostly rounding).
 */
export class Maker {
  readonly values: Value[] = [];
  readonly rng: Rng;
  readonly shared: Shared;
  /** Whether this is the body of a branch or a loop: it has no inputs of its own to feed. */
  readonly isBody: boolean;
  private readonly b: GraphBuilder;
  private readonly outer: Maker | undefined;
  private readonly names = new Map<Value, string>();
  private readonly read = new Set<Value>();

  constructor(rng: Rng, opset: number, outer?: Maker) {
    this.rng = rng;
    this.outer = outer;
    this.isBody = outer !== undefined;
    this.shared = outer?.shared ?? { names: 0, opset, feeds: new Map(), taken: [], values: new Map() };
    this.b = new GraphBuilder({ opset });
  }

  /** The body of a node to come: it reads what is here. */
  inner(): Maker {
    return new Maker(this.rng, this.shared.opset, this);
  }

  // --- choices ------------------------------------------------------------------------------------------------------

  chance(probability: number): boolean {
    return this.rng.uniform() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.rng.integer(0, items.length - 1)];
  }

  integer(low: number, high: number): number {
    return this.rng.integer(low, high);
  }

  /** Extents of a new value. */
  dims([least, most]: readonly [number, number] = [0, 6]): number[] {
    const rank = this.chance(0.8)
      ? this.integer(Math.min(Math.max(least, 1), most), Math.min(most, 4))
      : this.integer(least, most);
    const dims: number[] = [];
    for (let axis = 0; axis < rank; axis++) {
      const room = Math.floor(LARGEST / 2 / elementCount(dims));
      dims.push(this.chance(0.2) ? 1 : Math.max(1, Math.min(room, this.integer(1, this.pick([4, 9, 9, 20])))));
    }
    return dims;
  }

  // --- values -------------------------------------------------------------------------------------------------------

  constant(tensor: Tensor): Value {
    return { ...madeOf(toDense(tensor, 'float32'), toDense(tensor, 'float64')), tensor };
  }

  ints(...list: readonly number[]): Value {
    return this.constant(tensorFrom('int64', [list.length], list));
  }

  scalar(type: ViewType, value: number): Value {
    return this.constant(tensorFrom(type, [], [value]));
  }

  /** A new constant, or a new input of the graph. */
  fresh(
    type: ViewType,
    dims: readonly number[],
    within?: Range,
    constant = this.isBody || this.chance(0.15),
    special = false,
  ): Value {
    const numbers = drawNumbers(this.rng, type, elementCount(dims), within, special);
    return this.given(tensorFrom(type, dims, numbers), constant);
  }

  /** These elements as a constant, or fed. */
  given(tensor: Tensor, constant = this.isBody || this.chance(0.5)): Value {
    const value = this.constant(tensor);
    if (!constant) this.declare(value);
    return value;
  }

  /** A value that is there already, the newer the likelier. */
  find(want: Want): Value | undefined {
    const all = [...(this.outer?.reachable() ?? []), ...this.values].filter((value) => meets(value, want));
    if (all.length === 0) return undefined;
    return this.chance(0.5) ? all.at(-1) : this.pick(all);
  }

  /** A value that is there already, mostly, or a new one with extents that fit. */
  want(want: Want, dims?: readonly number[]): Value {
    const found = this.chance(0.85)
      ? this.find(dims ? { ...want, fits: (d) => d.join() === dims.join() } : want)
      : undefined;
    if (found) return found;
    const { types = ['float32'], ranks, within, fits, special } = want;
    for (let tries = 0; tries < 50; tries++) {
      const drawn = dims ?? this.dims(ranks);
      if (dims || !fits || fits(drawn)) return this.fresh(this.pick(types), drawn, within, undefined, special);
    }
    throw new Unfit('no extents were found');
  }

  /** A value whose extents broadcast against these, to no more elements than there may be. */
  partner(dims: readonly number[], want: Want): Value {
    const fits = (other: readonly number[]): boolean => {
      const joined = broadcast(dims, other);
      return joined !== undefined && elementCount(joined) <= LARGEST;
    };
    const found = this.chance(0.6) ? this.find({ ...want, fits }) : undefined;
    if (found) return found;
    const other = dims.map((dim) => (this.chance(0.25) ? 1 : dim === 1 && this.chance(0.3) ? this.integer(2, 5) : dim));
    const cut = this.chance(0.3) ? other.slice(this.integer(0, other.length)) : other;
    const drawn = this.chance(0.1) && cut.length < 6 ? [this.integer(1, 3), ...cut] : cut;
    if (!fits(drawn)) throw new Unfit('too many elements');
    return this.fresh(this.pick(want.types ?? ['float32']), drawn, want.within);
  }

  // --- nodes --------------------------------------------------------------------------------------------------------

  /**
   * Adds a node and returns its results.
   * @throws Unfit when they say nothing
   */
  nodes(
    op: string,
    inputs: readonly (Value | undefined)[],
    values: AttributeValues = {},
    count = 1,
    domain = '',
  ): readonly Value[] {
    const outputs = Array.from({ length: count }, () => this.freshName(op));
    const draft: Node = {
      name: outputs[0],
      op,
      domain,
      inputs: inputs.map((_, i) => `i${i}`),
      outputs,
      attributes: attributes(values),
    };
    const evaluate = (precision: Precision): readonly Dense[] =>
      evaluateNode(
        draft,
        inputs.map((value) => value && sideOf(value, precision)),
        { precision, opset: this.shared.opset, find: (name) => sideOf(this.shared.values.get(name)!, precision) },
      );
    const [rounded, exact] = unlessRange(() => [evaluate('float32'), evaluate('float64')]);
    const results = outputs.map((_, i) => madeOf(rounded[i], exact[i]));
    for (const result of results) requireTelling(result, inputs);
    const node: Node = { ...draft, inputs: inputs.map((value) => (value ? this.nameOf(value) : '')) };
    this.b.nodes(op, node.inputs, count, values, { outputs, domain, name: node.name });
    for (const [i, result] of results.entries()) this.setName(result, outputs[i]);
    this.shared.taken.push(domain === '' ? op : `${domain}:${op}`);
    return results;
  }

  node(op: string, inputs: readonly (Value | undefined)[], values: AttributeValues = {}, domain = ''): Value {
    return this.nodes(op, inputs, values, 1, domain)[0];
  }

  /** The graph with these outputs; as they are named here. */
  build(outputs: readonly Value[]) {
    const domains = new Set(
      this.shared.taken.flatMap((op) => (op.includes(':') ? [op.slice(0, op.indexOf(':'))] : [])),
    );
    for (const domain of domains) this.b.opset(domain, 1);
    for (const value of outputs) this.b.output(this.nameOf(value), value.type, value.dims);
    return this.b.build();
  }

  /** Declares an input of a body. */
  bodyInput({ rounded, exact, type, dims }: Value): Value {
    const copy = madeOf(rounded, exact);
    this.setName(copy, this.b.input(this.freshName('in'), type, dims));
    return copy;
  }

  /** Whether a node reads the value. */
  isRead(value: Value): boolean {
    return this.read.has(value);
  }

  /** Name of a value in this graph or around it; a constant or input is declared when somebody reads it. */
  nameOf(value: Value): string {
    const known = this.knownName(value);
    if (known !== undefined) {
      this.markRead(value);
      return known;
    }
    if (!value.tensor) throw new Error('the value is of another graph');
    const name = this.b.initializer(value.tensor, this.freshName('c'));
    this.setName(value, name);
    return name;
  }

  private reachable(): readonly Value[] {
    return [...(this.outer?.reachable() ?? []), ...this.values];
  }

  private knownName(value: Value): string | undefined {
    return this.names.get(value) ?? this.outer?.knownName(value);
  }

  private markRead(value: Value): void {
    this.read.add(value);
    this.outer?.markRead(value);
  }

  private declare(value: Value): void {
    const name = this.b.input(this.freshName('x'), value.type, value.dims);
    this.shared.feeds.set(name, value.tensor!);
    this.setName(value, name);
    this.values.push(value);
  }

  private setName(value: Value, name: string): void {
    this.names.set(value, name);
    this.shared.values.set(name, value);
  }

  private freshName(hint: string): string {
    return `${hint.toLowerCase()}_${this.shared.names++}`;
  }
}

/** Thrown by a draw that found nothing to take, and for results that say nothing. */
export class Unfit extends Error {}

/** @throws Unfit where extents would be below 0 or do not go together: the node is not legal */
function unlessRange<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new Unfit(error.message);
    throw error;
  }
}

function sideOf({ rounded, exact }: Value, precision: Precision): Dense {
  return precision === 'float32' ? rounded : exact;
}

export function madeOf(rounded: Dense, exact: Dense): Value {
  return { type: rounded.type, dims: rounded.dims, rounded, exact };
}

/** Extents of an element-wise result; undefined where there are none. */
export function broadcast(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [a, b].map((dims) => [...new Array<number>(rank - dims.length).fill(1), ...dims]);
  const joined = left.map((dim, i) => (dim === right[i] || right[i] === 1 ? dim : dim === 1 ? right[i] : -1));
  return joined.includes(-1) ? undefined : joined;
}

function meets(value: Value, { types = ['float32'], ranks, within, fits, special }: Want): boolean {
  const { type, dims, exact } = value;
  if (!(types as readonly string[]).includes(type)) return false;
  if (ranks && (dims.length < ranks[0] || dims.length > ranks[1])) return false;
  if (fits && !fits(dims)) return false;
  if (!special && isSpecial(value)) return false;
  return !within || exact.data.every((x) => x >= within[0] && x <= within[1]);
}

/** @throws Unfit for results that are empty, too many, too far out, or mostly rounding */
function requireTelling({ type, dims, rounded, exact }: Value, inputs: readonly (Value | undefined)[]): void {
  const count = elementCount(dims);
  if (count === 0 || count > LARGEST || dims.length > 6) throw new Unfit('extents');
  const isFloat = type === 'float32';
  const largest = isFloat
    ? inputs.reduce((most, input) => Math.max(most, reach(input)), FARTHEST)
    : Number.MAX_SAFE_INTEGER;
  for (let i = 0; i < count; i++) {
    const [x, y] = [exact.data[i], rounded.data[i]];
    if (Object.is(x, y)) {
      if (Math.abs(x) <= largest || inputs.some((input) => input && isSpecial(input))) continue;
      throw new Unfit('overflow');
    }
    if (!isFloat || !(Math.abs(x - y) <= UNSETTLED * (1 + Math.abs(x)))) throw new Unfit('rounding decides');
    if (Math.abs(x) > largest) throw new Unfit('overflow');
  }
}

/** The largest size of a finite element. */
function reach(value: Value | undefined): number {
  let most = 0;
  if (value?.type === 'float32')
    for (const x of value.exact.data) if (Number.isFinite(x) && Math.abs(x) > most) most = Math.abs(x);
  return most;
}

/** Whether a value holds infinities or NaN. */
function isSpecial({ type, exact }: Value): boolean {
  return type === 'float32' && exact.data.some((x) => !Number.isFinite(x));
}
