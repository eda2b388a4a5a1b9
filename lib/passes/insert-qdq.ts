import { HoneError } from '../core/error';
import { roundHalfToEven } from '../core/half';
import { attributes } from '../ir/attribute';
import { nameMaker, removeDead, renameReads, typeOf } from '../ir/edit';
import type { ElementType } from '../ir/element-type';
import type { Graph, Node, ValueType } from '../ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf, unalignedView, viewAs } from '../ir/tensor';
import { forEachScale } from '../ops/quantizer';

/** uint8 quantization of a whole tensor: `real = (q - zeroPoint) * scale`. */
export interface AffineParameters {
  /** A positive float32. */
  readonly scale: number;
  /** 0 to `limit`. */
  readonly zeroPoint: number;
  /** Largest code, for activations of fewer bits: a Clip in front of the pair keeps larger ones out. 255 when left out. */
  readonly limit?: number;
}

/** Quantization of a constant: `real = (q - zeroPoint) * scale`. */
export interface ConstantParameters {
  readonly type: 'int8' | 'int32';
  /** A single scale for the whole tensor, one per channel along `axis`, or (with `block`) one per block, row-major. */
  readonly scales: Float32Array;
  /** Axis of the channels or blocks, not negative; without meaning for a single scale. */
  readonly axis: number;
  /** Elements along `axis` that share a scale: the scales lie like the tensor with that extent divided by it. */
  readonly block?: number;
  /** Zero points of int8, one per scale; all 0 when left out. */
  readonly zeroPoints?: Int8Array;
  /** Smallest and largest code of int8; [-127, 127] when left out. */
  readonly codes?: readonly [number, number];
  /** Codes that were chosen already, in the order of the tensor; those nearest to its elements when left out. */
  readonly integers?: Int8Array<ArrayBuffer>;
}

/** Where quantization stands in a graph. */
export interface QdqPlan {
  /** Quantization of values that are computed, fed, or constant operands of element-wise nodes. */
  readonly activations: ReadonlyMap<string, AffineParameters>;
  /** Quantization of constant inputs: by node name, then by index of the input. */
  readonly constants: ReadonlyMap<string, ReadonlyMap<number, ConstantParameters>>;
}

/** A graph with QuantizeLinear/DequantizeLinear pairs. */
export interface QdqGraph {
  readonly graph: Graph;
  /** Name of the dequantized form of every value of the plan's `activations`. */
  readonly dequantized: ReadonlyMap<string, string>;
  /** Names of the initializers that quantize every value of the plan's `activations`. */
  readonly parameters: ReadonlyMap<string, PairParameters>;
}

/** Names of the initializers of one pair. */
export interface PairParameters {
  readonly scale: string;
  readonly zeroPoint: string;
  /** Bounds of the Clip in front, where there is one. */
  readonly bounds?: readonly [string, string];
}

/**
 * The graph with a QuantizeLinear/DequantizeLinear pair behind every value of `plan.activations`, read by all of its
 * consumers, and with the constants of the plan stored as integers behind a DequantizeLinear. Scales and zero points per
 * tensor are scalars (rank 0), the form that onnxruntime fuses. A Clip stands in front of pairs that use only some of the codes
 * of uint8. A graph output keeps its name and stays float: its pair stands in front of it. Ranges, choice of values and scales are the caller's.
 * @throws E_INTERNAL when the plan names something that the graph does not have
 */
export function insertQdq(graph: Graph, plan: QdqPlan): QdqGraph {
  return new QdqInserter(graph, plan).run();
}

class QdqInserter {
  private readonly graph: Graph;
  private readonly plan: QdqPlan;
  private readonly nodes: Node[] = [];
  private readonly initializers: Map<string, Tensor>;
  private readonly values: Map<string, ValueType>;
  private readonly fresh: (hint: string) => string;
  /** What readers of a value read instead. */
  private readonly dequantized = new Map<string, string>();
  /** New name of the float form of quantized graph outputs. */
  private readonly renamed = new Map<string, string>();
  /** Dequantized constants by name and parameters, so that nodes may share them. */
  private readonly constants = new Map<string, string>();
  private readonly parameters = new Map<string, PairParameters>();

  constructor(graph: Graph, plan: QdqPlan) {
    this.graph = graph;
    this.plan = plan;
    this.initializers = new Map(graph.initializers);
    this.values = new Map(graph.values);
    this.fresh = nameMaker(graph);
  }

  run(): QdqGraph {
    const { graph, plan } = this;
    const made = new Set([...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap((n) => n.outputs)]);
    for (const value of plan.activations.keys())
      if (!made.has(value)) throw new HoneError('E_INTERNAL', { message: `no value '${value}' to quantize` });

    for (const value of [...graph.inputs, ...graph.initializers.keys()]) this.quantizeValue(value);
    for (const node of graph.nodes) {
      const outputs = node.outputs.map((output) => this.floatName(output));
      this.nodes.push({ ...renameReads(this.withConstants(node), this.dequantized), outputs });
      for (const output of node.outputs) this.quantizeValue(output);
    }
    return {
      graph: removeDead({ ...graph, nodes: this.nodes, initializers: this.initializers, values: this.values }),
      dequantized: new Map([...plan.activations.keys()].map((value) => [value, this.dequantized.get(value) ?? value])),
      parameters: this.parameters,
    };
  }

  /** Name under which a node makes its float output: a new one for graph outputs that get a pair. */
  private floatName(output: string): string {
    if (!this.graph.outputs.includes(output) || !this.plan.activations.has(output)) return output;
    const name = this.fresh(`${output}_float`);
    this.renamed.set(output, name);
    const type = this.graph.values.get(output);
    if (type) this.values.set(name, type);
    return name;
  }

  /** Adds the pair behind `value`, if the plan has one; constants are stored as integers. */
  private quantizeValue(value: string): void {
    const parameters = this.plan.activations.get(value);
    if (parameters === undefined) return;
    const scale = this.constant(tensorFrom('float32', [], [parameters.scale]), `${value}_scale`);
    const zeroPoint = this.constant(tensorFrom('uint8', [], [parameters.zeroPoint]), `${value}_zero_point`);
    this.parameters.set(value, { scale, zeroPoint });
    const shape = typeOf(this.graph, value)?.shape;
    const tensor = this.graph.initializers.get(value);
    let quantized: string;
    if (tensor) quantized = this.constant(quantizeActivation(tensor, parameters), `${value}_quantized`);
    else
      quantized = this.add('QuantizeLinear', [this.limited(value, parameters, shape), scale, zeroPoint], {
        hint: `${value}_quantized`,
        type: { type: 'uint8', shape },
      });
    this.dequantized.set(
      value,
      this.add('DequantizeLinear', [quantized, scale, zeroPoint], {
        hint: `${value}_dequantized`,
        output: this.renamed.has(value) ? value : undefined,
        type: { type: 'float32', shape },
      }),
    );
  }

  /** What the pair behind `value` quantizes: the value itself, behind a Clip where not all codes may be used. */
  private limited(value: string, parameters: AffineParameters, shape: ValueType['shape']): string {
    const source = this.renamed.get(value) ?? value;
    const { scale, zeroPoint, limit } = parameters;
    if (limit === undefined) return source;
    const bound = (code: number, hint: string) =>
      this.constant(tensorFrom('float32', [], [(code - zeroPoint) * scale]), `${value}_${hint}`);
    const bounds = [bound(0, 'low'), bound(limit, 'high')] as const;
    this.parameters.set(value, { ...this.parameters.get(value)!, bounds });
    return this.add('Clip', [source, ...bounds], {
      hint: `${value}_clipped`,
      type: { type: 'float32', shape },
    });
  }

  /** The node reading the plan's quantized constants. */
  private withConstants(node: Node): Node {
    const wanted = this.plan.constants.get(node.name);
    if (wanted === undefined) return node;
    const inputs = node.inputs.map((input, index) => {
      const parameters = wanted.get(index);
      return parameters ? this.quantizeConstant(node, input, parameters) : input;
    });
    return { ...node, inputs };
  }

  private quantizeConstant(node: Node, input: string, parameters: ConstantParameters): string {
    const tensor = this.graph.initializers.get(input);
    if (tensor === undefined)
      throw new HoneError('E_INTERNAL', { message: `input '${input}' of node ${node.name} is not constant` });
    const { type, axis, block, scales, zeroPoints, codes, integers } = parameters;
    const chosen = integers && node.name;
    const key = JSON.stringify([input, type, axis, block, [...scales], [...(zeroPoints ?? [])], codes, chosen]);
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const dims = scaleDims(tensor, parameters);
    const scale = this.constant(tensorFrom('float32', dims, [...scales]), `${input}_scale`);
    const inputs = [this.constant(codesOf(tensor, parameters), `${input}_quantized`), scale];
    // ONNX gives int32 no zero point; onnxruntime wants one to stand at int8 weights.
    if (type === 'int8')
      inputs.push(
        this.constant(tensorFrom('int8', dims, [...(zeroPoints ?? scales.map(() => 0))]), `${input}_zero_point`),
      );
    const name = this.add('DequantizeLinear', inputs, {
      hint: `${input}_dequantized`,
      type: { type: 'float32', shape: tensor.dims },
      axis: dims.length > 0 ? axis : undefined,
      block,
    });
    this.constants.set(key, name);
    return name;
  }

  private constant(tensor: Tensor, hint: string): string {
    const name = this.fresh(hint);
    this.initializers.set(name, tensor);
    return name;
  }

  private add(
    op: string,
    inputs: readonly string[],
    options: {
      readonly hint: string;
      readonly output?: string;
      readonly type: { readonly type: ElementType; readonly shape: ValueType['shape'] };
      readonly axis?: number | undefined;
      readonly block?: number | undefined;
    },
  ): string {
    const output = options.output ?? this.fresh(options.hint);
    const name = options.output === undefined ? output : this.fresh(options.hint);
    this.nodes.push({
      name,
      op,
      domain: '',
      inputs,
      outputs: [output],
      attributes: attributes({ axis: options.axis, block_size: options.block }),
    });
    this.values.set(output, options.type);
    return output;
  }
}

/** uint8 form of a float32 tensor, as ONNX QuantizeLinear computes it. */
function quantizeActivation(tensor: Tensor, { scale, zeroPoint, limit = 255 }: AffineParameters): Tensor {
  const data = viewAs(tensor, 'float32');
  const quantized = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++)
    quantized[i] = clamp(roundHalfToEven(Math.fround(data[i] / scale)) + zeroPoint, 0, limit);
  return tensorOf('uint8', tensor.dims, quantized);
}

/** Extents of the scales of a constant. */
function scaleDims(tensor: Tensor, { scales, axis, block }: ConstantParameters): readonly number[] {
  if (block !== undefined) return tensor.dims.map((dim, at) => (at === axis ? Math.ceil(dim / block) : dim));
  return scales.length > 1 ? [scales.length] : [];
}

/** Codes that were computed last for a constant: one graph is often written again with the same grids. */
const latest = new WeakMap<Tensor, { readonly parameters: ConstantParameters; readonly codes: Tensor }>();

/** Integer form of a float32 constant, rounded half to even. */
export function codesOf(tensor: Tensor, parameters: ConstantParameters): Tensor {
  const known = latest.get(tensor);
  if (known && sameParameters(known.parameters, parameters)) return known.codes;
  const codes = roundedTo(tensor, parameters);
  latest.set(tensor, { parameters, codes });
  return codes;
}

/** Whether parameters are made of the same arrays. */
function sameParameters(a: ConstantParameters, b: ConstantParameters): boolean {
  const same = a.type === b.type && a.axis === b.axis && a.block === b.block && a.codes?.join() === b.codes?.join();
  return same && a.scales === b.scales && a.zeroPoints === b.zeroPoints && a.integers === b.integers;
}

function roundedTo(tensor: Tensor, parameters: ConstantParameters): Tensor {
  const { type, scales, axis, block = 0, zeroPoints, codes = [-127, 127], integers } = parameters;
  if (integers) return tensorOf('int8', tensor.dims, integers);
  const data = unalignedView(tensor);
  const count = elementCount(tensor.dims);
  const [low, high] = codes;
  // A bias has more digits than float32 can divide.
  const largest = 2 ** 31 - 1;
  const rounded = type === 'int8' ? new Int8Array(count) : new Int32Array(count);
  // Loops, since `from` makes a list of numbers first, which takes several times the memory of the weights.
  forEachScale(tensor.dims, scaleDims(tensor, parameters), axis, block, (index, start, end) => {
    const [scale, zeroPoint] = [scales[index], zeroPoints?.[index] ?? 0];
    if (type === 'int8')
      for (let i = start; i < end; i++)
        rounded[i] = clamp(roundHalfToEven(Math.fround(data.getFloat32(4 * i, true) / scale)) + zeroPoint, low, high);
    else
      for (let i = start; i < end; i++)
        rounded[i] = clamp(roundHalfToEven(data.getFloat32(4 * i, true) / scale), -largest, largest);
  });
  return tensorOf(type, tensor.dims, rounded as Int8Array<ArrayBuffer>);
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}
