import { HoneError } from '../core/error';
import type { Uses } from '../ir/edit';
import type { ElementType } from '../ir/element-type';
import type { Node, ValueType } from '../ir/graph';
import type { Tensor } from '../ir/tensor';

/** What patterns and guards may ask of a graph. */
export interface PatternContext extends Uses {
  /** Constant value of a name, when it is an initializer of numbers: rules compute with it. */
  constant(value: string): Tensor | undefined;
  typeOf(value: string): ValueType | undefined;
}

/** What may stand at one input. Equal names in one pattern mean the same node or value. */
export type Pattern = NodePattern | ValuePattern | EitherPattern | OptionalPattern;

/** The first output of a node of the standard domain (or of `domain`) whose inputs match; inputs without a pattern are free. */
export interface NodePattern extends NodeWords {
  readonly kind: 'node';
  readonly name: string;
  readonly ops: readonly string[];
  readonly inputs: readonly Pattern[];
}

/** Guards that stand in the pattern itself. */
export interface NodeWords {
  readonly domain?: string;
  /** Nothing else reads the output, and it is no output of the graph: the node may vanish. */
  readonly alone?: true;
  /** The first two inputs may change places. */
  readonly anyOrder?: true;
}

interface ValuePattern {
  readonly kind: 'value';
  readonly name: string;
  /** Only an initializer of numbers fits, of this type where one is given. */
  readonly constant: boolean;
  readonly type: ElementType | undefined;
  /** What the constant must be besides. */
  readonly fits: ((tensor: Tensor) => boolean) | undefined;
}

interface EitherPattern {
  readonly kind: 'either';
  readonly patterns: readonly Pattern[];
}

interface OptionalPattern {
  readonly kind: 'optional';
  readonly pattern: Pattern | undefined;
}

/** A node of one of these operators. */
export function node(
  name: string,
  ops: string | readonly string[],
  inputs: readonly Pattern[] = [],
  words: NodeWords = {},
): NodePattern {
  return { kind: 'node', name, ops: typeof ops === 'string' ? [ops] : ops, inputs, ...words };
}

/** Any value. */
export function value(name: string): Pattern {
  return { kind: 'value', name, constant: false, type: undefined, fits: undefined };
}

/** A constant, of this type where one is given, for which `fits` holds. */
export function constant(name: string, type?: ElementType, fits?: (tensor: Tensor) => boolean): Pattern {
  return { kind: 'value', name, constant: true, type, fits };
}

/** The first of these that fits (and lets the rest fit). */
export function either(...patterns: readonly Pattern[]): Pattern {
  return { kind: 'either', patterns };
}

/** Nothing, or `pattern`; nothing or anything when that is left out. */
export function optional(pattern?: Pattern): Pattern {
  return { kind: 'optional', pattern };
}

/** What a pattern found, by the names in it. */
export class Match {
  private readonly nodesByName: ReadonlyMap<string, Node>;
  private readonly valuesByName: ReadonlyMap<string, string>;
  private readonly context: PatternContext;

  constructor(context: PatternContext, nodes: ReadonlyMap<string, Node>, values: ReadonlyMap<string, string>) {
    this.context = context;
    this.nodesByName = nodes;
    this.valuesByName = values;
  }

  /** The nodes found, the root first. */
  get nodes(): readonly Node[] {
    return [...new Set(this.nodesByName.values())];
  }

  /** The names of the pattern that stand for something here. */
  get names(): readonly string[] {
    return [...this.valuesByName.keys()];
  }

  node(name: string): Node {
    return this.nodesByName.get(name) ?? missing(name);
  }

  /** The node of this name; undefined when another form of the pattern fitted. */
  findNode(name: string): Node | undefined {
    return this.nodesByName.get(name);
  }

  value(name: string): string {
    return this.valuesByName.get(name) ?? missing(name);
  }

  /** The value of this name; undefined when it is left out or another form of the pattern fitted. */
  findValue(name: string): string | undefined {
    return this.valuesByName.get(name);
  }

  constant(name: string): Tensor {
    return this.findConstant(name) ?? missing(name);
  }

  findConstant(name: string): Tensor | undefined {
    return this.context.constant(this.valuesByName.get(name) ?? '');
  }

  /** This match with one more name; undefined when the name stands for something else already. */
  with(name: string, value: string, node?: Node): Match | undefined {
    const [known, maker] = [this.valuesByName.get(name), this.nodesByName.get(name)];
    if ((known !== undefined && known !== value) || (maker && node && maker !== node)) return undefined;
    if (known !== undefined && (!node || maker)) return this;
    const nodes = node ? new Map([...this.nodesByName, [name, node]]) : this.nodesByName;
    return new Match(this.context, nodes, new Map([...this.valuesByName, [name, value]]));
  }
}

function missing(name: string): never {
  throw new HoneError('E_INTERNAL', { message: `the pattern has no '${name}'` });
}

type Then = (match: Match) => Match | undefined;

/**
 * The first way in which `pattern` fits with `root` as its last node and `accept` agrees; undefined when there is none. Every
 * order and form is tried, so `accept` may refuse one and get the next.
 */
export function matchPattern(
  pattern: NodePattern,
  root: Node,
  context: PatternContext,
  accept: (match: Match) => boolean = () => true,
): Match | undefined {
  if (!fitsNode(pattern, root)) return undefined;
  return matchNode(pattern, root, context, new Match(context, new Map(), new Map()), (match) =>
    accept(match) ? match : undefined,
  );
}

function fitsNode({ ops, domain = '' }: NodePattern, found: Node): boolean {
  return found.domain === domain && ops.includes(found.op);
}

function matchNode(
  pattern: NodePattern,
  found: Node,
  context: PatternContext,
  match: Match,
  then: Then,
): Match | undefined {
  const bound = match.with(pattern.name, found.outputs[0], found);
  if (!bound) return undefined;
  const [first, second, ...more] = found.inputs;
  const tried = matchInputs(pattern.inputs, found.inputs, context, bound, then);
  if (tried || !pattern.anyOrder || second === undefined) return tried;
  return matchInputs(pattern.inputs, [second, first, ...more], context, bound, then);
}

function matchInputs(
  patterns: readonly Pattern[],
  inputs: readonly string[],
  context: PatternContext,
  match: Match,
  then: Then,
  at = 0,
): Match | undefined {
  if (at === patterns.length) return then(match);
  return matchValue(patterns[at], inputs[at] ?? '', context, match, (next) =>
    matchInputs(patterns, inputs, context, next, then, at + 1),
  );
}

function matchValue(
  pattern: Pattern,
  name: string,
  context: PatternContext,
  match: Match,
  then: Then,
): Match | undefined {
  if (pattern.kind === 'optional') {
    if (name === '' || !pattern.pattern) return then(match);
    return matchValue(pattern.pattern, name, context, match, then);
  }
  if (pattern.kind === 'either') {
    for (const form of pattern.patterns) {
      const found = matchValue(form, name, context, match, then);
      if (found) return found;
    }
    return undefined;
  }
  if (name === '') return undefined;
  if (pattern.kind === 'node') {
    const found = context.producer(name);
    if (!found || found.outputs[0] !== name || !fitsNode(pattern, found)) return undefined;
    if (pattern.alone && !context.onlyConsumer(name)) return undefined;
    return matchNode(pattern, found, context, match, then);
  }
  if (pattern.constant) {
    const tensor = context.constant(name);
    if (!tensor || (pattern.type !== undefined && tensor.type !== pattern.type)) return undefined;
    if (pattern.fits && !pattern.fits(tensor)) return undefined;
  }
  const bound = match.with(pattern.name, name);
  return bound && then(bound);
}
