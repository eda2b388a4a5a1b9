import type { Diagnostic } from '../core/diagnostic';
import { capturesOf, subgraphsOf } from '../ir/edit';
import type { Dim, Graph, Node, ValueType } from '../ir/graph';
import { elementCount, type Tensor, toNumbers } from '../ir/tensor';
import { findOperator } from '../ops';
import { valueOfDim } from '../ops/axes';
import { termsOf } from '../ops/dims';
import type { Inferred, Operator } from '../ops/operator';
import { constantTensor } from '../ops/operators/constant';
import { problem } from '../ops/schema';
import { bodyInputTypes, bodyOutputTypes } from './bodies';
import { checkSchema } from './check-schema';

/** Integer constants with more elements than this are not followed as shape-like values. */
const PARTIAL_LIMIT = 1024;

type Partial = readonly (Dim | undefined)[];

/**
 * What was learned of nodes, for graphs that share many of them (one before and after a pass): a node is looked at again only
 * where something that it reads is known otherwise.
 */
export type InferenceMemory = WeakMap<Node, Lesson>;

/** What one node was told, and what it told. */
interface Lesson {
  /** Constants, or types of what is none, by input. */
  readonly read: readonly unknown[];
  readonly declared: readonly (ValueType | undefined)[];
  readonly types: readonly (ValueType | undefined)[];
  readonly partials: readonly (Partial | undefined)[];
  readonly tensor: Tensor | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Knowledge about the values of one graph, which grows node by node in topological order. */
export class Inference {
  private readonly graph: Graph;
  private readonly memory: InferenceMemory | undefined;
  private readonly types = new Map<string, ValueType>();
  private readonly constants = new Map<string, Tensor>();
  private readonly partials = new Map<string, Partial>();
  /** Values of which data decide an extent, and what is made of them. */
  private readonly decided: ReadonlySet<string>;

  /** Starts with the graph's inputs and initializers; what else the graph declares only fills gaps. */
  constructor(graph: Graph, memory?: InferenceMemory) {
    this.graph = graph;
    this.memory = memory;
    for (const input of graph.inputs) {
      const type = graph.values.get(input);
      if (type) this.types.set(input, type);
    }
    for (const [name, tensor] of graph.initializers) this.setConstant(name, tensor);
    this.decided = decidedBy(graph);
  }

  /** Type of a value as far as the nodes visited so far tell. */
  typeOf(value: string): ValueType | undefined {
    return this.types.get(value);
  }

  constantOf(value: string): Tensor | undefined {
    return this.constants.get(value);
  }

  /** Known elements of a shape-like value. */
  partialOf(value: string): Partial | undefined {
    const known = this.partials.get(value);
    if (known) return known;
    const tensor = this.constants.get(value);
    if (!tensor || !isShapeLike(tensor) || elementCount(tensor.dims) > PARTIAL_LIMIT) return undefined;
    const numbers = toNumbers(tensor);
    this.partials.set(value, numbers);
    return numbers;
  }

  /** Tells the type of a value that no node makes. */
  setType(name: string, type: ValueType): void {
    this.types.set(name, type);
  }

  setConstant(name: string, tensor: Tensor): void {
    this.constants.set(name, tensor);
    this.types.set(name, { type: tensor.type, shape: tensor.dims });
  }

  /** Every type found, for `Graph.values`; initializers are left out. */
  values(): Map<string, ValueType> {
    return new Map([...this.types].filter(([name]) => !this.graph.initializers.has(name)));
  }

  /** Learns the types of the node's outputs; returns what is wrong with it. */
  visit(node: Node): readonly Diagnostic[] {
    if (!this.memory) return this.learn(node).diagnostics;
    // Elements that are known come with a type: both are found anew or neither.
    const read = this.readOf(node);
    const declared = node.outputs.map((name) => this.graph.values.get(name));
    const known = this.memory.get(node);
    const lesson =
      known &&
      same(known.read, read) &&
      // What was found stands in the graph that was made of it.
      declared.every((type, at) => type === known.declared[at] || type === known.types[at])
        ? known
        : { read, declared, ...this.learn(node) };
    // What bodies capture is not among the inputs.
    if (subgraphsOf(node).length === 0) this.memory.set(node, lesson);
    if (lesson === known) this.recall(node, lesson);
    return lesson.diagnostics;
  }

  private readOf(node: Node): unknown[] {
    return node.inputs.map((name) => this.constants.get(name) ?? this.types.get(name));
  }

  private recall({ outputs }: Node, { types, partials, tensor }: Lesson): void {
    outputs.forEach((name, index) => {
      if (name === '') return;
      const [type, partial] = [types[index], partials[index]];
      if (type) this.types.set(name, type);
      if (partial) this.partials.set(name, partial);
    });
    if (tensor) this.setConstant(outputs[0], tensor);
  }

  private learn(node: Node): Omit<Lesson, 'read' | 'declared'> {
    const operator = findOperator(node.domain, node.op);
    const inputs = node.inputs.map((name) => (name === '' ? undefined : this.types.get(name)));
    const untyped = node.inputs.some((name, index) => name !== '' && !inputs[index]);
    const found =
      operator && !untyped
        ? this.infer(operator, node, inputs)
        : {
            // What is known of the inputs must fit, whatever the others are.
            diagnostics: operator ? checkSchema(operator, node, inputs) : [],
            inferred: this.inferBodies(node),
          };
    const types: (ValueType | undefined)[] = [];
    const partials: (Partial | undefined)[] = [];
    node.outputs.forEach((name, index) => {
      if (name === '') return;
      const declared = this.graph.values.get(name);
      const inferred = found.inferred[index];
      const type = inferred ? reconcile(inferred, declared, (dim) => this.isDecidedByData(dim)) : declared;
      if (type) this.types.set(name, type);
      if (inferred?.partial) this.partials.set(name, inferred.partial);
      types[index] = type;
      partials[index] = inferred?.partial;
      const conflict = inferred && declared && conflictOf(inferred, declared);
      if (conflict) found.diagnostics.push(warning(node, `value ${name} is declared as ${conflict}`));
    });
    const tensor = node.op === 'Constant' && operator ? constantTensor(node) : undefined;
    if (tensor) this.setConstant(node.outputs[0], tensor);
    return { types, partials, tensor, diagnostics: found.diagnostics };
  }

  /** Types of the outputs of a node that its bodies make; what is wrong inside is not reported here. */
  private inferBodies(node: Node): readonly (Inferred | undefined)[] {
    const bodies = subgraphsOf(node);
    if (bodies.length === 0) return [];
    const outputs = bodies.map((body) => {
      const inner = new Inference(body);
      for (const name of capturesOf(body)) {
        const [tensor, type, partial] = [this.constants.get(name), this.types.get(name), this.partials.get(name)];
        if (tensor) inner.setConstant(name, tensor);
        else if (type) inner.setType(name, type);
        if (partial) inner.partials.set(name, partial);
      }
      for (const [index, type] of bodyInputTypes(node, body, this).entries())
        if (type) inner.setType(body.inputs[index], type);
      for (const each of body.nodes) inner.visit(each);
      return body.outputs.map((name) => inner.typeOf(name));
    });
    return bodyOutputTypes(node, outputs, this);
  }

  /** Whether an extent counts what data decide, so that a number which a file declares for it is that of one run. */
  private isDecidedByData(dim: Dim): boolean {
    if (typeof dim !== 'string' || this.decided.size === 0) return false;
    return termsOf(dim).some(({ symbols }) => symbols.some((symbol) => this.decided.has(valueOfDim(symbol) ?? '')));
  }

  private infer(
    operator: Operator,
    node: Node,
    inputs: readonly (ValueType | undefined)[],
  ): { diagnostics: Diagnostic[]; inferred: readonly Inferred[] } {
    const diagnostics = checkSchema(operator, node, inputs);
    if (diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics, inferred: [] };
    const result = operator.infer({
      node,
      inputs,
      constant: (index) => this.constants.get(node.inputs[index] ?? ''),
      partial: (index) => this.partialOf(node.inputs[index] ?? ''),
    });
    if ('severity' in result) return { diagnostics: [...diagnostics, result], inferred: [] };
    const odd = result.find(({ shape }) => shape?.some((dim) => !isExtent(dim)));
    if (odd) {
      const message = `its output would be [${odd.shape}], which no tensor can be`;
      return { diagnostics: [...diagnostics, problem(node, 'shape-mismatch', message)], inferred: [] };
    }
    return { diagnostics, inferred: result };
  }
}

/** Values of which data decide an extent, and what is made of them. */
function decidedBy({ nodes }: Graph): ReadonlySet<string> {
  const decided = new Set<string>();
  for (const { domain, op, inputs, outputs } of nodes)
    if (findOperator(domain, op)?.counts || (decided.size > 0 && inputs.some((input) => decided.has(input))))
      for (const output of outputs) decided.add(output);
  return decided;
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.every((each, at) => each === b[at]);
}

/** What checks of operators need not say one by one: no extent is negative, a fraction, or beyond all memory. */
function isExtent(dim: Dim | undefined): boolean {
  return typeof dim === 'number' ? Number.isSafeInteger(dim) && dim >= 0 : dim !== undefined;
}

/** Integers and booleans can be extents, positions or conditions on them. */
function isShapeLike({ type }: Tensor): boolean {
  return type === 'int64' || type === 'int32' || type === 'bool';
}

/**
 * The inferred type, with gaps filled by what the file declares. Its numbers count, its symbols do not: exporters name
 * extents carelessly, and equal symbols are taken for equal extents.
 */
function reconcile(inferred: Inferred, declared: ValueType | undefined, isDecided: (dim: Dim) => boolean): ValueType {
  const { type, shape } = inferred;
  const other = declared?.type === type ? declared.shape : undefined;
  if (!shape || !other) return { type, shape: shape ?? other };
  if (shape.length !== other.length) return { type, shape };
  return {
    type,
    shape: shape.map((dim, axis) =>
      typeof other[axis] === 'number' && isDataDependent(dim) && !isDecided(dim) ? other[axis] : dim,
    ),
  };
}

function isDataDependent(dim: Dim): boolean {
  return typeof dim === 'string' && dim.startsWith('size(');
}

function conflictOf(inferred: Inferred, declared: ValueType): string | undefined {
  if (inferred.type !== declared.type) return `${declared.type}, but is ${inferred.type}`;
  const [a, b] = [inferred.shape, declared.shape];
  if (!a || !b) return undefined;
  const clash = a.length !== b.length || a.some((dim, axis) => isClash(dim, b[axis]));
  return clash ? `[${b}], but is [${a}]` : undefined;
}

function isClash(a: Dim, b: Dim): boolean {
  return typeof a === 'number' && typeof b === 'number' && a !== b;
}

function warning(node: Node, message: string): Diagnostic {
  return { severity: 'warning', kind: 'declared-shape', where: node.name, message: `${node.op}: ${message}` };
}
