import { HoneError } from '../core/error';
import { attributes } from './attribute';
import { makeNames, namesOf, typeOf } from './edit';
import type { ElementType } from './element-type';
import type { Dim, Graph, Node, ValueType } from './graph';
import type { Tensor } from './tensor';

/** How a builder starts. */
export interface GraphBuilderOptions {
  readonly name?: string;
  /** Version of the standard domain; 21, the dialect's, when left out. */
  readonly opset?: number;
  /** Graph to go on from: everything in it is taken over. */
  readonly from?: Graph;
}

/** How a node is named. */
export interface NodeOptions {
  /** Operator domain; the standard one when left out. */
  readonly domain?: string;
  /** Name of the node; made from its first output when left out. */
  readonly name?: string;
  /** Names of the outputs (`''` leaves one out); made from the operator when left out. */
  readonly outputs?: readonly string[];
}

type AttributeValues = Parameters<typeof attributes>[0];

/** Builds one graph, node by node, with fresh names. Ends with `build()`; nothing may be added after it. */
export class GraphBuilder {
  private readonly inputs: string[] = [];
  private readonly outputs: string[] = [];
  private readonly nodeList: Node[] = [];
  private readonly initializers = new Map<string, Tensor>();
  private readonly values = new Map<string, ValueType>();
  private readonly opsets = new Map<string, number>();
  private readonly metadata = new Map<string, string>();
  private readonly taken: Set<string>;
  private readonly makeValueName: (hint: string) => string;
  private readonly makeNodeName: (hint: string) => string;
  private readonly defined = new Set<string>();
  private readonly name: string;
  private readonly irVersion: number;
  private built = false;

  constructor(options: GraphBuilderOptions = {}) {
    const { from } = options;
    this.name = options.name ?? from?.name ?? 'graph';
    this.irVersion = from?.irVersion ?? 10;
    this.taken = from ? namesOf(from) : new Set();
    this.makeValueName = makeNames(this.taken);
    this.makeNodeName = makeNames(new Set(from?.nodes.map((node) => node.name)));
    if (from) this.takeOver(from);
    if (options.opset !== undefined || !this.opsets.has('')) this.opsets.set('', options.opset ?? 21);
  }

  private takeOver(from: Graph): void {
    this.inputs.push(...from.inputs);
    this.outputs.push(...from.outputs);
    this.nodeList.push(...from.nodes);
    for (const [name, tensor] of from.initializers) this.initializers.set(name, tensor);
    for (const [name, type] of from.values) this.values.set(name, type);
    for (const [domain, version] of from.opsets) this.opsets.set(domain, version);
    for (const [key, value] of from.metadata) this.metadata.set(key, value);
    for (const name of [...from.inputs, ...from.initializers.keys()]) this.defined.add(name);
    for (const node of from.nodes) for (const output of node.outputs) this.defined.add(output);
  }

  /** A value name that nothing has yet: `hint`, or `hint_1`, `hint_2`, ... It is reserved from now on. */
  fresh(hint: string): string {
    return this.makeValueName(hint);
  }

  /** Adds a graph input and returns its name. An undefined shape stands for an unknown rank. */
  input(name: string, type: ElementType, shape: readonly Dim[] | undefined): string {
    this.define(name);
    this.inputs.push(name);
    this.values.set(name, { type, shape });
    return name;
  }

  /** Adds a constant and returns its name: `hint` when that is free, otherwise a fresh name made from it. */
  initializer(tensor: Tensor, hint = 'constant'): string {
    const name = this.fresh(hint);
    this.define(name);
    this.initializers.set(name, tensor);
    return name;
  }

  /** Adds a node with one output and returns the output's name. */
  node(op: string, inputs: readonly string[], values: AttributeValues = {}, options: NodeOptions = {}): string {
    return this.nodes(op, inputs, options.outputs?.length ?? 1, values, options)[0];
  }

  /** Adds a node with `count` outputs and returns their names. */
  nodes(
    op: string,
    inputs: readonly string[],
    count: number,
    values: AttributeValues = {},
    options: NodeOptions = {},
  ): string[] {
    const outputs = options.outputs ?? Array.from({ length: count }, () => this.fresh(op.toLowerCase()));
    for (const output of outputs) if (output !== '') this.define(output);
    const name = this.makeNodeName(options.name ?? (outputs.find((output) => output !== '') || op.toLowerCase()));
    const domain = options.domain ?? '';
    if (!this.opsets.has(domain)) this.opsets.set(domain, 1);
    this.nodeList.push({
      name,
      op,
      domain,
      inputs: [...inputs],
      outputs: [...outputs],
      attributes: attributes(values),
    });
    return [...outputs];
  }

  /** Records the type of a value (nodes do not infer any). */
  declare(value: string, type: ElementType, shape: readonly Dim[] | undefined): void {
    this.values.set(value, { type, shape });
  }

  /** Makes an existing value a graph output, with its type when that is known. */
  output(value: string, type?: ElementType, shape?: readonly Dim[]): void {
    if (!this.defined.has(value))
      throw new HoneError('E_INTERNAL', { message: `graph output '${value}' is not made by anything` });
    this.outputs.push(value);
    if (type !== undefined) this.values.set(value, { type, shape });
  }

  /** Known type of a value: declared, or that of the initializer. */
  typeOf(value: string): ValueType | undefined {
    return typeOf(this.snapshot(), value);
  }

  /** Sets the version of an operator domain. */
  opset(domain: string, version: number): void {
    this.opsets.set(domain, version);
  }

  /** Adds an entry to the model's metadata. */
  setMetadata(key: string, value: string): void {
    this.metadata.set(key, value);
  }

  /** The graph. Nodes stand in the order in which they were added: call `sortNodes` when that is not topological. */
  build(): Graph {
    this.built = true;
    return this.snapshot();
  }

  private snapshot(): Graph {
    return {
      name: this.name,
      inputs: this.inputs,
      outputs: this.outputs,
      nodes: this.nodeList,
      initializers: this.initializers,
      values: this.values,
      opsets: this.opsets,
      irVersion: this.irVersion,
      metadata: this.metadata,
    };
  }

  private define(name: string): void {
    if (this.built) throw new HoneError('E_INTERNAL', { message: 'the graph is already built' });
    if (this.defined.has(name)) throw new HoneError('E_INTERNAL', { message: `value '${name}' is defined twice` });
    this.defined.add(name);
    this.taken.add(name);
  }
}
