import { HoneError } from '../core/error';
import { attributes } from '../ir/attribute';
import { nameMaker, removeDead, renameReads, typeOf } from '../ir/edit';
import type { ElementType } from '../ir/element-type';
import type { Graph, Node, ValueType } from '../ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf, viewAs } from '../ir/tensor';
import { roundHalfToEven } from '../ops/half';

/** uint8 quantization of a whole tensor: `real = (q - zeroPoint) * scale`. */
export interface AffineParameters {
  /** A positive float32. */
  readonly scale: number;
  /** 0 to 255. */
  readonly zeroPoint: number;
}

/** Symmetric quantization of a constant: `real = q * scale`; int8 weights lie in [-127, 127]. */
export interface ConstantParameters {
  readonly type: 'int8' | 'int32';
  /** One scale per channel along `axis`, or a single one for the whole tensor. */
  readonly scales: Float32Array;
  /** Channel axis, not negative; without meaning for a single scale. */
  readonly axis: number;
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
}

/**
 * The graph with a QuantizeLinear/DequantizeLinear pair behind every value of `plan.activations`, read by all of its
 * consumers, and with the constants of the plan stored as integers behind a DequantizeLinear. Scales and zero points per
 * tensor are scalars (rank 0), the form that onnxruntime fuses. A graph output keeps its name and stays float: its pair
 * stands in front of it. Ranges, choice of values and scales are the caller's.
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
    const shape = typeOf(this.graph, value)?.shape;
    const tensor = this.graph.initializers.get(value);
    let quantized: string;
    if (tensor) quantized = this.constant(quantizeActivation(tensor, parameters), `${value}_quantized`);
    else
      quantized = this.add('QuantizeLinear', [this.renamed.get(value) ?? value, scale, zeroPoint], {
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
    const { type, axis, scales } = parameters;
    const key = JSON.stringify([input, type, axis, [...scales]]);
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const dims = scales.length > 1 ? [scales.length] : [];
    const scale = this.constant(tensorFrom('float32', dims, [...scales]), `${input}_scale`);
    const inputs = [this.constant(quantizeSymmetric(tensor, parameters), `${input}_quantized`), scale];
    // ONNX gives int32 no zero point; onnxruntime wants one to stand at int8 weights.
    if (type === 'int8')
      inputs.push(this.constant(tensorFrom('int8', dims, new Array(scales.length).fill(0)), `${input}_zero_point`));
    const name = this.add('DequantizeLinear', inputs, {
      hint: `${input}_dequantized`,
      type: { type: 'float32', shape: tensor.dims },
      axis: scales.length > 1 ? axis : undefined,
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
      readonly axis?: number;
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
      attributes: attributes({ axis: options.axis }),
    });
    this.values.set(output, options.type);
    return output;
  }
}

/** uint8 form of a float32 tensor, as ONNX QuantizeLinear computes it. */
function quantizeActivation(tensor: Tensor, { scale, zeroPoint }: AffineParameters): Tensor {
  const quantized = Uint8Array.from(viewAs(tensor, 'float32'), (x) =>
    limit(roundHalfToEven(Math.fround(x / scale)) + zeroPoint, 0, 255),
  );
  return tensorOf('uint8', tensor.dims, quantized);
}

/** Symmetric int8 (within [-127, 127]) or int32 form of a float32 tensor, rounded half to even. */
function quantizeSymmetric(tensor: Tensor, { type, scales, axis }: ConstantParameters): Tensor {
  const data = viewAs(tensor, 'float32');
  const inner = elementCount(tensor.dims.slice(axis + 1));
  const scaleOf = (index: number) =>
    scales.length > 1 ? scales[Math.floor(index / inner) % scales.length] : scales[0];
  if (type === 'int8') {
    const rounded = Int8Array.from(data, (x, i) => limit(roundHalfToEven(Math.fround(x / scaleOf(i))), -127, 127));
    return tensorOf('int8', tensor.dims, rounded);
  }
  // A bias has more digits than float32 can divide.
  const largest = 2 ** 31 - 1;
  const rounded = Int32Array.from(data, (x, i) => limit(roundHalfToEven(x / scaleOf(i)), -largest, largest));
  return tensorOf('int32', tensor.dims, rounded);
}

function limit(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}
