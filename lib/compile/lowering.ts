import type { Diagnostic } from '../core/diagnostic';
import { attribute } from '../ir/attribute';
import type { ElementType } from '../ir/element-type';
import type { Graph, Node } from '../ir/graph';
import { elementCount, type Tensor, tensorOf, toNumbers, viewAs } from '../ir/tensor';
import { roundHalfToEven } from '../ops/half';
import { findOperator } from '../ops/index';
import type { KernelCall } from '../ops/operator';
import type { PlanClamp } from '../plan/description';
import { limit } from './number';
import type { Buffer, BufferType, Operand, Place, Quantization, Step } from './step';
import {
  extentsOf,
  isDense,
  layoutKey,
  memoryFactors,
  mergeFactors,
  moveView,
  plainView,
  sizeOf,
  stridedView,
  stridesOf,
  type View,
} from './view';

/** A constant as integers with scales: `real[i] = (values[i] - zeroPoint) * scale`, per tensor or along `axis`. */
export interface QuantizedConstant {
  /** Elements as numbers (int8, uint8 or int32 range), row-major. */
  readonly values: readonly number[];
  readonly dims: readonly number[];
  readonly type: ElementType;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** Axis of the scales when there is more than one. */
  readonly axis: number;
}

/** The int8 form of a value. */
export interface QuantizedView extends View {
  readonly quantization: Quantization;
}

/** What follows a node: fused activations and the quantization of its result. */
export interface Tail {
  /** Nodes absorbed after the first one. */
  readonly nodes: readonly Node[];
  /** Float bounds of the fused activations. */
  readonly bounds: readonly [number, number];
  /** Float value at the end of the chain. */
  readonly value: string;
  /** Quantization at the end, when the float value has no other reader. */
  readonly quantize: { readonly value: string; readonly quantization: Quantization } | undefined;
}

/** Thrown inside a lowering when a node cannot be run by the engine; becomes a diagnostic. */
export class Unsupported extends Error {}

/**
 * Working state of one compilation: the steps so far, and in which forms (float, int8) and layouts every value of the
 * graph exists. Forms are made on demand, once each.
 */
export class Lowering {
  readonly steps: Step[] = [];
  readonly diagnostics: Diagnostic[] = [];
  private readonly floats = new Map<string, View>();
  private readonly integers = new Map<string, QuantizedView>();
  private readonly ports = new Map<string, Buffer>();
  private readonly rearranged = new Map<string, Buffer>();
  private readonly producers = new Map<string, Node>();
  private readonly readers = new Map<string, Node[]>();
  private readonly absorbed = new Set<Node>();
  private nextBuffer = 0;
  readonly graph: Graph;

  constructor(graph: Graph) {
    this.graph = graph;
    for (const node of graph.nodes) {
      for (const output of node.outputs) this.producers.set(output, node);
      for (const input of new Set(node.inputs)) this.readers.set(input, [...(this.readers.get(input) ?? []), node]);
    }
  }

  // --- the graph ----------------------------------------------------------------------------------------------------

  producer(value: string): Node | undefined {
    return this.producers.get(value);
  }

  isAbsorbed(node: Node): boolean {
    return this.absorbed.has(node);
  }

  /** The one node that reads `value`, unless the value is also a graph output or is read by several. */
  onlyReader(value: string): Node | undefined {
    const readers = this.readers.get(value) ?? [];
    return readers.length === 1 && !this.graph.outputs.includes(value) ? readers[0] : undefined;
  }

  /** Numeric extents of a value. */
  extents(value: string): number[] {
    const shape = this.graph.initializers.get(value)?.dims ?? this.graph.values.get(value)?.shape;
    if (shape === undefined || shape.some((dim) => typeof dim !== 'number'))
      throw new Unsupported(`the shape of '${value}' is not known`);
    return shape as number[];
  }

  /** What the engine would run for a node, or undefined with a reason thrown as Unsupported. */
  kernelOf(node: Node): KernelCall {
    const operator = findOperator(node.domain, node.op);
    if (operator?.lower === undefined) throw new Unsupported(`the engine has no kernel for ${node.op}`);
    const typeOf = (value: string) => {
      const initializer = this.graph.initializers.get(value);
      return initializer ? { type: initializer.type, shape: initializer.dims } : this.graph.values.get(value);
    };
    const call = operator.lower({
      node,
      inputs: node.inputs.map(typeOf),
      outputs: node.outputs.map(typeOf),
      constant: (index) => this.constantTensor(node.inputs[index]),
    });
    if ('severity' in call) throw new Unsupported(call.message);
    return call;
  }

  /** A constant as the operator tables see it: an initializer, or the float value of a dequantized one. */
  private constantTensor(value: string): Tensor | undefined {
    const initializer = this.graph.initializers.get(value);
    if (initializer !== undefined) return initializer;
    const constant = this.floatConstant(value);
    return constant && tensorOf('float32', constant.dims, Float32Array.from(constant.data));
  }

  /** Activations and quantization that can be computed together with `value`, the result of `node`. */
  tail(value: string): Tail {
    const nodes: Node[] = [];
    const bounds: [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    let end = value;
    for (let reader = this.onlyReader(end); reader !== undefined; reader = this.onlyReader(end)) {
      if (reader.op === 'QuantizeLinear') {
        const quantization = this.activationQuantization(reader);
        if (quantization === undefined) break;
        nodes.push(reader);
        return { nodes, bounds, value: end, quantize: { value: reader.outputs[0], quantization } };
      }
      const clamp = this.clampOf(reader);
      if (clamp === undefined || reader.inputs[0] !== end) break;
      bounds[0] = Math.min(Math.max(bounds[0], clamp[0]), clamp[1]);
      bounds[1] = Math.max(Math.min(bounds[1], clamp[1]), clamp[0]);
      nodes.push(reader);
      end = reader.outputs[0];
    }
    return { nodes, bounds, value: end, quantize: undefined };
  }

  private clampOf(node: Node): readonly [number, number] | undefined {
    try {
      const call = this.kernelOf(node);
      return call.kernel === 'unary' ? call.clamp : undefined;
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
  }

  /** Marks nodes as computed by the current step. */
  absorb(nodes: readonly Node[]): void {
    for (const node of nodes) this.absorbed.add(node);
  }

  // --- constants ----------------------------------------------------------------------------------------------------

  /** Per-tensor uint8 or int8 quantization of a Q or DQ node in canonical int8, or undefined when it is of another kind. */
  activationQuantization(node: Node): Quantization | undefined {
    const scale = this.graph.initializers.get(node.inputs[1]);
    const zeroPoint = this.graph.initializers.get(node.inputs[2] ?? '');
    if (scale?.type !== 'float32' || elementCount(scale.dims) !== 1) return undefined;
    const type = zeroPoint?.type ?? 'uint8';
    if (type !== 'uint8' && type !== 'int8') return undefined;
    return {
      scale: viewAs(scale, 'float32')[0],
      zeroPoint: (zeroPoint ? toNumbers(zeroPoint)[0] : 0) - (type === 'uint8' ? 128 : 0),
    };
  }

  /** The integer constant behind `DequantizeLinear(initializer)`, or undefined. */
  quantizedConstant(value: string): QuantizedConstant | undefined {
    const node = this.producers.get(value);
    if (node?.op !== 'DequantizeLinear') return undefined;
    const [integers, scale, zeroPoint] = node.inputs.map((name) => this.graph.initializers.get(name));
    if (integers === undefined || scale?.type !== 'float32' || attribute(node, 'block_size', 'int', 0) !== 0)
      return undefined;
    const rank = integers.dims.length;
    const axis = attribute(node, 'axis', 'int', 1);
    const scales = Array.from(viewAs(scale, 'float32'));
    return {
      values: toNumbers(integers),
      dims: integers.dims,
      type: integers.type,
      scales,
      zeroPoints: zeroPoint ? toNumbers(zeroPoint) : scales.map(() => 0),
      axis: axis < 0 ? axis + rank : axis,
    };
  }

  /** A float constant: an initializer, or a dequantized one. */
  floatConstant(value: string): { readonly dims: readonly number[]; readonly data: Float32Array } | undefined {
    const initializer = this.graph.initializers.get(value);
    if (initializer !== undefined)
      return initializer.type === 'float32'
        ? { dims: initializer.dims, data: viewAs(initializer, 'float32') }
        : undefined;
    const constant = this.quantizedConstant(value);
    if (constant === undefined) return undefined;
    const inner = constant.dims.slice(constant.axis + 1).reduce((product, dim) => product * dim, 1);
    const data = Float32Array.from(constant.values, (integer, index) => {
      const channel = constant.scales.length === 1 ? 0 : Math.floor(index / inner) % constant.scales.length;
      return (integer - constant.zeroPoints[channel]) * constant.scales[channel];
    });
    return { dims: constant.dims, data };
  }

  // --- buffers and steps --------------------------------------------------------------------------------------------

  buffer(
    name: string,
    type: BufferType,
    count: number,
    quantization?: Quantization,
    place: Place = { kind: 'arena' },
  ): Buffer {
    return { id: this.nextBuffer++, name, type, count, quantization, place };
  }

  /** A constant operand. */
  constant(
    name: string,
    type: BufferType,
    dims: readonly number[],
    data: ArrayBufferView,
    quantization?: Quantization,
  ): Operand {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    return { buffer: this.buffer(name, type, elementCount(dims), quantization, { kind: 'constant', bytes }), dims };
  }

  /** The caller's memory of a graph input, made once. */
  port(name: string): Buffer {
    const known = this.ports.get(name);
    if (known !== undefined) return known;
    const type = this.graph.values.get(name)?.type;
    if (type !== 'float32' && type !== 'int8' && type !== 'uint8')
      throw new Unsupported(`input '${name}' of type ${type} (the engine takes float32, uint8 and int8)`);
    const buffer = this.buffer(name, type, elementCount(this.extents(name)), undefined, { kind: 'port' });
    this.ports.set(name, buffer);
    return buffer;
  }

  emit(step: Step): void {
    this.steps.push(step);
  }

  // --- forms of values ----------------------------------------------------------------------------------------------

  setFloat(value: string, view: View): void {
    this.floats.set(value, view);
  }

  /** Pretends that a value which could not be made is there in float, so that later nodes are examined too. */
  assumeFloat(value: string): void {
    const shape = this.graph.values.get(value)?.shape;
    if (value === '' || shape === undefined || shape.some((dim) => typeof dim !== 'number')) return;
    const extents = shape as number[];
    this.setFloat(value, plainView(this.buffer(value, 'float32', elementCount(extents)), extents));
  }

  /** Records the int8 form of the values that stand for it: the quantized tensor and what dequantizes it. */
  setInteger(value: string, view: QuantizedView): void {
    this.integers.set(value, view);
  }

  /** The int8 form of a value, when it has one. */
  integer(value: string): QuantizedView | undefined {
    return this.integers.get(value);
  }

  /** The float form of a value; dequantizes its int8 form at need. */
  float(value: string): View {
    const found = this.floats.get(value);
    if (found !== undefined) return found;
    const integer = this.integers.get(value);
    if (integer !== undefined) {
      const source = this.dense(integer);
      const target = this.buffer(value, 'float32', source.buffer.count);
      const dims = memoryExtents(source);
      this.emit({
        name: `${value}:dequantize`,
        op: 'dequantize_s8',
        outputs: [{ buffer: target, dims }],
        inputs: [{ buffer: source.buffer, dims }],
        params: { channelsFirst: false },
      });
      const view = moveView(source, target);
      this.floats.set(value, view);
      return view;
    }
    if (this.graph.inputs.includes(value) && this.graph.values.get(value)?.type === 'float32') {
      const view = plainView(this.port(value), this.extents(value));
      this.floats.set(value, view);
      return view;
    }
    const constant = this.floatConstant(value);
    if (constant !== undefined) {
      const operand = this.constant(value, 'float32', constant.dims, constant.data);
      const view = plainView(operand.buffer, constant.dims);
      this.floats.set(value, view);
      return view;
    }
    const type = this.graph.values.get(value)?.type ?? this.graph.initializers.get(value)?.type ?? 'unknown';
    throw new Unsupported(`'${value}' (${type}) is not available to the engine as float32`);
  }

  /** Quantizes a float value into a new int8 buffer of the same memory order. */
  quantize(value: string, target: string, quantization: Quantization, order?: readonly number[]): QuantizedView {
    const extents = this.extents(value);
    let source = this.float(value);
    const fromPort = source.buffer.place.kind === 'port' && isPlain(source, extents);
    const channelsFirst = fromPort && order !== undefined && extents.length >= 3;
    if (!fromPort) source = order === undefined ? this.dense(source) : this.arrange(source, order);
    const buffer = this.buffer(target, 'int8', source.buffer.count, quantization);
    const dims = fromPort ? extents : memoryExtents(source);
    this.emit({
      name: target,
      op: 'quantize_s8',
      outputs: [{ buffer, dims: channelsFirst ? order.map((axis) => extents[axis]) : dims }],
      inputs: [{ buffer: source.buffer, dims }],
      params: { channelsFirst },
    });
    return { ...(channelsFirst ? stridedView(buffer, extents, order) : moveView(source, buffer)), quantization };
  }

  // --- layouts ------------------------------------------------------------------------------------------------------

  /** Whether kernels can take the view's buffer as it stands: dense, and not the caller's memory. */
  isDirect(view: View): boolean {
    return isDense(view) && view.buffer.place.kind !== 'port';
  }

  /** The view itself when it covers its buffer, else a dense copy in row-major order. */
  dense<V extends View>(view: V): V {
    return this.isDirect(view)
      ? view
      : this.arrange(
          view,
          extentsOf(view).map((_, axis) => axis),
        );
  }

  /** The elements of `view` in memory order `order`: the same buffer when they lie so already, else a copy (made once). */
  arrange<V extends View>(view: V, order: readonly number[]): V {
    const extents = extentsOf(view);
    const strides = stridesOf(extents, order);
    const wanted = extents.map((extent, axis) => [{ extent, stride: strides[axis] }]);
    if (this.isDirect(view) && layoutKey(view) === layoutKey({ ...view, dims: wanted }))
      return { ...view, dims: wanted };
    const key = `${view.buffer.id}|${view.offset}|${layoutKey(view)}|${order}|${extents}`;
    let target = this.rearranged.get(key);
    if (target === undefined) {
      target = this.buffer(`${view.buffer.name}:arranged`, view.buffer.type, sizeOf(view), view.buffer.quantization);
      this.rearranged.set(key, target);
      this.copy(`${view.buffer.name}:arrange`, view, { buffer: target, offset: 0, dims: wanted });
    }
    return { ...view, buffer: target, offset: 0, dims: wanted };
  }

  /** Emits a strided copy between views of the same logical extents (`target` may be part of a larger buffer). */
  copy(name: string, source: View, target: View): void {
    const pairs = source.dims.flatMap((factors, axis) => alignFactors(factors, target.dims[axis]));
    const merged: { extent: number; source: number; target: number }[] = [];
    for (const pair of pairs) {
      const last = merged.at(-1);
      if (pair.extent === 1) continue;
      if (last !== undefined && last.source === pair.extent * pair.source && last.target === pair.extent * pair.target)
        merged[merged.length - 1] = { ...pair, extent: pair.extent * last.extent };
      else merged.push(pair);
    }
    if (merged.length === 0) merged.push({ extent: 1, source: 1, target: 1 });
    if (merged.length > 8) throw new Unsupported(`copy of ${merged.length} dimensions (the engine copies up to 8)`);
    this.emit({
      name,
      op: 'copy_nd',
      outputs: [{ buffer: target.buffer, dims: [target.buffer.count] }],
      inputs: [{ buffer: source.buffer, dims: [source.buffer.count] }],
      params: {
        extents: merged.map((pair) => pair.extent),
        srcOffset: source.offset,
        dstOffset: target.offset,
        srcStrides: merged.map((pair) => pair.source),
        dstStrides: merged.map((pair) => pair.target),
      },
    });
  }
}

/** Extents of a dense view in memory order (at least one). */
export function memoryExtents(view: View): number[] {
  const extents = mergeFactors(memoryFactors(view)).map((factor) => factor.extent);
  return extents.length > 0 ? extents : [1];
}

/** int8 bounds of float bounds under a quantization: the bound's own quantized value, limited to int8. */
export function clampOf(bounds: readonly [number, number], quantization: Quantization): PlanClamp {
  const integer = (bound: number) =>
    limit(roundHalfToEven(Math.fround(bound / quantization.scale)) + quantization.zeroPoint, -128, 127);
  return {
    qmin: Number.isFinite(bounds[0]) ? integer(bounds[0]) : -128,
    qmax: Number.isFinite(bounds[1]) ? integer(bounds[1]) : 127,
  };
}

/** Float bounds as the clamp of a float kernel. */
export function floatClamp(bounds: readonly [number, number]): PlanClamp {
  return { lo: bounds[0], hi: bounds[1] };
}

/** Elements of an int8 or uint8 constant in canonical int8 with its zero points shifted alike. */
export function canonicalWeights(constant: QuantizedConstant): { values: Int8Array; zeroPoints: number[] } | undefined {
  if (constant.type !== 'int8' && constant.type !== 'uint8') return undefined;
  const shift = constant.type === 'uint8' ? 128 : 0;
  return {
    values: Int8Array.from(constant.values, (value) => value - shift),
    zeroPoints: constant.zeroPoints.map((zeroPoint) => zeroPoint - shift),
  };
}

/** The fold of two factor lists of the same extent into pieces that are single factors of both. */
function alignFactors(
  source: View['dims'][number],
  target: View['dims'][number],
): { extent: number; source: number; target: number }[] {
  const pieces: { extent: number; source: number; target: number }[] = [];
  const a = mergeFactors(source);
  const b = mergeFactors(target);
  let i = a.length - 1;
  let j = b.length - 1;
  let left = a[i];
  let right = b[j];
  while (left !== undefined && right !== undefined) {
    const extent = Math.min(left.extent, right.extent);
    if (left.extent % extent !== 0 || right.extent % extent !== 0)
      throw new Unsupported('copy between layouts whose factors do not divide each other');
    pieces.unshift({ extent, source: left.stride, target: right.stride });
    left = left.extent === extent ? a[--i] : { extent: left.extent / extent, stride: left.stride * extent };
    right = right.extent === extent ? b[--j] : { extent: right.extent / extent, stride: right.stride * extent };
  }
  return pieces;
}

function isPlain(view: View, extents: readonly number[]): boolean {
  return isDense(view) && layoutKey(view) === layoutKey(plainView(view.buffer, extents));
}
