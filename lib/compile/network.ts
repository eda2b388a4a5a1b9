import { subgraphsOf } from '../ir/edit';
import type { Dim, Graph, Node, ValueType } from '../ir/graph';
import { elementCount, type Tensor, toNumbers, viewAs } from '../ir/tensor';
import { findComposite } from '../ops/composites/find-composite';
import { findOperator } from '../ops/index';
import type { KernelCall } from '../ops/kernel-call';
import type { Operator } from '../ops/operator';
import { refusedComposites } from '../passes/expand-composites';
import { Inference } from '../passes/inference';
import { BoundedExtents } from './bounded-extents';
import { constantExtents, floatConstant } from './constants';
import { type Bounds, composeBounds, NO_BOUNDS } from './grid';
import type { Quantization } from './step';
import { Unsupported } from './unsupported';

/** Most elements of one value: a gigabyte of floats, far beyond what boards hold. */
const MAX_ELEMENTS = 2 ** 28;

/** What follows a node and can be computed together with it: activations, then the quantization of the result. */
export interface Tail {
  /** Nodes absorbed after the first one. */
  readonly nodes: readonly Node[];
  /** Float bounds of the fused activations. */
  readonly bounds: Bounds;
  /** Float value at the end of the chain. */
  readonly value: string;
  /** Quantization at the end, when the float value has no other reader. */
  readonly quantize: { readonly value: string; readonly quantization: Quantization } | undefined;
}

/** Operators between floats and integers. */
const BORDERS: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear']);

/** What is wrong with nodes, or keeps them from being taken apart, by name: lowerings only see nodes whose parts fit together. */
function wrongNodes(graph: Graph, inference: Inference): ReadonlyMap<string, string> {
  const found = graph.nodes.flatMap((node) => inference.visit(node));
  const errors = found.filter(({ severity }) => severity === 'error');
  const operators = new Map(graph.nodes.map(({ name, op }) => [name, op]));
  const refused = [...refusedComposites(graph)].map(([{ name }, reason]) => [name, reason] as const);
  return new Map([
    ...refused,
    ...errors.map(({ where, message }) => [where, message.replace(`${operators.get(where)}: `, '')] as const),
  ]);
}

/** Questions about a prepared graph: who makes and reads a value, its extents, the kernel of a node and what follows it. */
export class Network {
  readonly graph: Graph;
  private readonly producers = new Map<string, Node>();
  private readonly readers = new Map<string, Node[]>();
  private readonly inference: Inference;
  private readonly wrong: ReadonlyMap<string, string>;
  /** Extents that only a run decides, within bounds. */
  readonly bounded: BoundedExtents;
  /** Whether some tensors are quantized, be it weights alone. */
  readonly isQuantized: boolean;
  /** Whether some values that are computed or given are quantized. */
  readonly hasIntegers: boolean;

  constructor(graph: Graph) {
    this.graph = graph;
    this.inference = new Inference(graph);
    this.wrong = wrongNodes(graph, this.inference);
    const borders = graph.nodes.filter(({ op }) => BORDERS.has(op));
    this.isQuantized = borders.length > 0;
    this.hasIntegers = borders.some(({ inputs }) => !graph.initializers.has(inputs[0]));
    for (const node of graph.nodes) {
      if (!this.wrong.has(node.name)) for (const output of node.outputs) this.producers.set(output, node);
      for (const input of new Set(node.inputs)) this.readers.set(input, [...(this.readers.get(input) ?? []), node]);
    }
    this.bounded = new BoundedExtents(graph, (node) => (index) => graph.initializers.get(node.inputs[index]));
  }

  /** The node that makes a value; none where it cannot be right, since nothing then holds that evaluation may rely on. */
  producer(value: string): Node | undefined {
    return this.producers.get(value);
  }

  initializer(value: string): Tensor | undefined {
    return this.graph.initializers.get(value);
  }

  readersOf(value: string): readonly Node[] {
    return this.readers.get(value) ?? [];
  }

  /** The one node that reads `value`, unless the value is also a graph output or is read by several. */
  onlyReader(value: string): Node | undefined {
    const readers = this.readersOf(value);
    return readers.length === 1 && !this.graph.outputs.includes(value) ? readers[0] : undefined;
  }

  /** Type and extents of a value; of extents that only a run decides the most that they can be. */
  typeOf(value: string): ValueType | undefined {
    const initializer = this.initializer(value);
    if (initializer) return { type: initializer.type, shape: initializer.dims };
    return this.bounded.typeOf(value, this.graph.values.get(value));
  }

  /** Known elements of a shape-like value; extents that a run decides are symbols. */
  partialOf(value: string): readonly (Dim | undefined)[] | undefined {
    return this.inference.partialOf(value);
  }

  /** Extents of a value as a run has them: those that it decides are symbols. */
  shapeOf(value: string): readonly Dim[] | undefined {
    return this.initializer(value)?.dims ?? this.graph.values.get(value)?.shape;
  }

  /** Numeric extents of a value; @throws Unsupported when some are not known or 0, and when it has too many elements */
  extents(value: string): number[] {
    const shape = this.typeOf(value)?.shape;
    if (shape === undefined || shape.some((dim) => typeof dim !== 'number'))
      throw new Unsupported(
        `the shape of '${value}' is not known before it runs (${shape ? `[${shape}]` : 'no rank'})`,
      );
    if (shape.includes(0)) throw new Unsupported(`'${value}' is empty ([${shape}])`);
    const extents = shape as number[];
    if (elementCount(extents) > MAX_ELEMENTS)
      throw new Unsupported(`'${value}' [${shape}] has more than ${MAX_ELEMENTS} elements`);
    return extents;
  }

  /** Whether an optional input is not there: it has no name, or is a constant without elements, as exporters write none. */
  isLeftOut(node: Node, index: number): boolean {
    const presence = findOperator(node.domain, node.op)?.schema.inputs[index]?.presence;
    const constant = this.initializer(node.inputs[index]);
    return node.inputs[index] === '' || (presence === 'optional' && constant?.dims.includes(0) === true);
  }

  /** @throws Unsupported for more elements than boards hold, or an extent of more */
  private requireSize(value: string): void {
    const shape = value === '' ? undefined : this.typeOf(value)?.shape;
    const numbers = shape?.filter((dim) => typeof dim === 'number') ?? [];
    const count = elementCount(numbers.filter((dim) => dim !== 0));
    if (count > MAX_ELEMENTS) throw new Unsupported(`'${value}' [${shape}] has more than ${MAX_ELEMENTS} elements`);
  }

  /** @throws Unsupported for floats or bytes without elements: no kernel has a case for none */
  requireElements(value: string): void {
    const type = value === '' ? undefined : this.typeOf(value);
    const data = this.isReal(value) || this.isBytes(value);
    if (data && type?.shape?.includes(0)) throw new Unsupported(`'${value}' is empty ([${type.shape}])`);
  }

  /** Whether a value holds floats. */
  isReal(value: string): boolean {
    return this.typeOf(value)?.type === 'float32';
  }

  /** Whether a value holds plain int8 or uint8 numbers instead of floats. */
  isBytes(value: string): boolean {
    const type = this.typeOf(value)?.type;
    return type === 'int8' || type === 'uint8';
  }

  /** Whether shape inference finds a node wrong. */
  isWrong(node: Node): boolean {
    return this.wrong.has(node.name);
  }

  /**
   * Asks of a node that reads what is not known yet, open extents say, whether the engine may run it once that is known: by a
   * kernel, as a constant, or taken apart. @throws Unsupported
   */
  requireChance(node: Node): void {
    const hasBody = node.domain === '' && subgraphsOf(node).length > 0;
    if (hasBody || findComposite(node.domain, node.op) !== undefined) return;
    if (findOperator(node.domain, node.op)?.evaluate === undefined) this.requireOperator(node);
  }

  /** The `lower` facet of a node's operator. @throws Unsupported when it has none, and for a node that cannot be right */
  private requireOperator(node: Node): NonNullable<Operator['lower']> {
    const reason = this.wrong.get(node.name);
    if (reason !== undefined) throw new Unsupported(reason);
    const operator = findOperator(node.domain, node.op);
    if (operator?.lower === undefined) throw new Unsupported('the engine has no kernel for it, neither int8 nor float');
    return operator.lower;
  }

  /** What the engine would run for a node. @throws Unsupported with the reason when it has nothing */
  kernelOf(node: Node): KernelCall {
    const word = [...node.inputs, ...node.outputs].find((name) => name !== '' && this.typeOf(name)?.type === 'string');
    if (word !== undefined) throw new Unsupported(`'${word}' holds strings`);
    // Before anybody makes lists of places: an extent of a broken file may be anything.
    for (const output of node.outputs) this.requireSize(output);
    const call = this.requireOperator(node)({
      node,
      inputs: node.inputs.map((input) => this.typeOf(input)),
      outputs: node.outputs.map((output) => this.typeOf(output)),
      constant: (index) => this.constantTensor(node.inputs[index]),
      partial: (index) => this.partialOf(node.inputs[index] ?? ''),
    });
    // Operators begin their messages with their own name; so does whoever reports this one.
    if ('severity' in call) throw new Unsupported(call.message.replace(`${node.op}: `, ''));
    return call;
  }

  /** A constant as the operator tables see it: an initializer, or the float value of a dequantized one. */
  private constantTensor(value: string): Tensor | undefined {
    const initializer = this.initializer(value);
    if (initializer !== undefined) return initializer;
    const dims = constantExtents(this, value);
    if (dims === undefined) return undefined;
    const make = () => floatConstant(this, value)!.data;
    // Most operators ask only whether it is there.
    return {
      type: 'float32',
      dims,
      get bytes() {
        const { buffer, byteOffset, byteLength } = make();
        return new Uint8Array(buffer, byteOffset, byteLength);
      },
    };
  }

  /** Activations and quantization that can be computed together with `value`, the result of a node. */
  tail(value: string): Tail {
    const nodes: Node[] = [];
    let bounds = NO_BOUNDS;
    let end = value;
    for (let reader = this.onlyReader(end); reader !== undefined; reader = this.onlyReader(end)) {
      if (reader.inputs[0] !== end) break;
      if (reader.op === 'QuantizeLinear') {
        const quantization = this.gridOf(reader);
        if (quantization === undefined) break;
        nodes.push(reader);
        return { nodes, bounds, value: end, quantize: { value: reader.outputs[0], quantization } };
      }
      const clamp = this.clampOf(reader);
      if (clamp === undefined) break;
      bounds = composeBounds(bounds, clamp);
      nodes.push(reader);
      end = reader.outputs[0];
    }
    return { nodes, bounds, value: end, quantize: undefined };
  }

  private clampOf(node: Node): Bounds | undefined {
    const call = this.findKernel(node);
    return call?.kernel === 'unary' ? call.clamp : undefined;
  }

  /** What the engine would run for a node; undefined when it has nothing. */
  findKernel(node: Node): KernelCall | undefined {
    try {
      return this.kernelOf(node);
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
  }

  /**
   * The grid of a QuantizeLinear or DequantizeLinear over uint8 or int8 with one positive scale, in canonical int8 (zero
   * points of uint8 less 128); undefined for all other kinds.
   */
  gridOf(node: Node): Quantization | undefined {
    const scale = this.initializer(node.inputs[1]);
    const zeroPoint = node.inputs[2] ? this.initializer(node.inputs[2]) : undefined;
    if (scale?.type !== 'float32' || elementCount(scale.dims) !== 1) return undefined;
    if (node.inputs[2] && zeroPoint === undefined) return undefined;
    const bytes = node.op === 'QuantizeLinear' ? node.outputs[0] : node.inputs[0];
    if (!this.isBytes(bytes)) return undefined;
    const { type } = this.typeOf(bytes)!;
    if (zeroPoint && zeroPoint.type !== type) return undefined;
    const shift = type === 'uint8' ? 128 : 0;
    const [size] = viewAs(scale, 'float32');
    if (!(size > 0) || !Number.isFinite(size)) return undefined;
    return { scale: size, zeroPoint: (zeroPoint ? toNumbers(zeroPoint)[0] : 0) - shift };
  }
}
