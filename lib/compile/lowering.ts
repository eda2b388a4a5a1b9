import type { Diagnostic } from '../core/diagnostic';
import type { Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import { PLAN_MAX_RANK } from '../plan/format';
import { canonicalIntegers, floatConstant, quantizedConstant } from './constants';
import type { Network, Tail } from './network';
import { Program } from './program';
import type { Buffer, Quantization } from './step';
import { Unsupported } from './unsupported';
import { isDense, isPlain, moveView, naturalOrder, plainView, stridedView, type View } from './view';

/** The int8 form of a value. */
export interface QuantizedView extends View {
  readonly quantization: Quantization;
}

/**
 * Working state of one compilation: in which forms (float, int8) every value of the graph exists so far. Forms are made on
 * demand, once each.
 */
export class Lowering {
  readonly network: Network;
  readonly program = new Program();
  readonly diagnostics: Diagnostic[] = [];
  /** Why layers of a network with quantized tensors run in float all the same, by node. */
  readonly floatReasons = new Map<string, string>();
  private readonly floats = new Map<string, View>();
  private readonly integers = new Map<string, QuantizedView>();
  private readonly ports = new Map<string, Buffer>();
  private readonly absorbed = new Set<Node>();
  private readonly made = new Map<string, unknown>();

  constructor(network: Network) {
    this.network = network;
  }

  /** Marks nodes as computed by the current step. */
  absorb(nodes: readonly Node[]): void {
    for (const node of nodes) this.absorbed.add(node);
  }

  isAbsorbed(node: Node): boolean {
    return this.absorbed.has(node);
  }

  /** What `make` returns, made once for equal keys. */
  once<T>(key: string, make: () => T): T {
    if (!this.made.has(key)) this.made.set(key, make());
    return this.made.get(key) as T;
  }

  /** The caller's memory of a graph input, made once. */
  port(name: string): Buffer {
    const known = this.ports.get(name);
    if (known !== undefined) return known;
    const buffer = this.portBuffer(name, 'takes');
    this.ports.set(name, buffer);
    return buffer;
  }

  /** New memory of the caller for a graph input or output. */
  portBuffer(name: string, verb: 'takes' | 'gives'): Buffer {
    const type = this.network.typeOf(name)?.type;
    if (type !== 'float32' && type !== 'int8' && type !== 'uint8')
      throw new Unsupported(`its type is ${type} (the engine ${verb} float32, uint8 and int8)`);
    const extents = this.network.extents(name);
    if (extents.length > PLAN_MAX_RANK)
      throw new Unsupported(`its rank is ${extents.length} (the engine ${verb} up to ${PLAN_MAX_RANK})`);
    return this.program.buffer(name, type, elementCount(extents), undefined, { kind: 'port' });
  }

  // --- forms of values ----------------------------------------------------------------------------------------------

  setFloat(value: string, view: View): void {
    this.floats.set(value, view);
  }

  /** Records the int8 form of the values that stand for it: the quantized tensor and what dequantizes it. */
  setInteger(value: string, view: QuantizedView): void {
    this.integers.set(value, view);
  }

  /** Records a float result; the quantization that may end the tail is lowered by itself. */
  finishFloat(tail: Tail, view: View): void {
    this.absorb(tail.nodes.filter(({ outputs }) => outputs[0] !== tail.quantize?.value));
    this.setFloat(tail.value, view);
  }

  /** Records an int8 result: the quantized one that ends a tail, else that of the node itself. */
  finishInteger(tail: Tail, value: string, view: QuantizedView): void {
    if (tail.quantize === undefined) {
      this.setInteger(value, view);
      return;
    }
    this.absorb(tail.nodes);
    this.setInteger(tail.value, view);
    this.setInteger(tail.quantize.value, view);
  }

  /** Pretends that a value which could not be made is there; false when nothing is known of it. */
  assume(value: string): boolean {
    const known = this.network.typeOf(value);
    const shape = known?.shape;
    if (known?.type !== 'float32' || !shape?.every((dim) => typeof dim === 'number' && dim > 0)) return false;
    const extents = shape as readonly number[];
    this.setFloat(value, plainView(this.program.buffer(value, 'float32', elementCount(extents)), extents));
    return true;
  }

  /** The int8 form of a value: made by a step, a quantized graph input, or a constant with one scale. */
  integer(value: string): QuantizedView | undefined {
    return this.integers.get(value) ?? this.integerInput(value) ?? this.integerConstant(value);
  }

  /** The int8 form of a value that has no float form yet. */
  onlyInteger(value: string): QuantizedView | undefined {
    return this.floats.has(value) || floatConstant(this.network, value) !== undefined ? undefined : this.integer(value);
  }

  /** Canonical int8 form of a uint8 or int8 graph input. Its grid says nothing until a DequantizeLinear gives it one. */
  private integerInput(value: string): QuantizedView | undefined {
    const { network, program } = this;
    if (!network.graph.inputs.includes(value) || !network.isBytes(value)) return undefined;
    const quantization = bytesGrid(network.typeOf(value)!.type === 'uint8');
    const port = this.port(value);
    const buffer = program.buffer(`${value}:int8`, 'int8', port.count, quantization);
    program.emit({
      name: value,
      op: 'lut_s8',
      outputs: [{ buffer, dims: [port.count] }],
      inputs: [
        { buffer: port, dims: [port.count] },
        program.constant(`${value}:table`, 'uint8', [256], shiftTable(port.type === 'uint8')),
      ],
    });
    const view = { ...plainView(buffer, network.extents(value)), quantization };
    this.setInteger(value, view);
    return view;
  }

  private integerConstant(value: string): QuantizedView | undefined {
    const constant = quantizedConstant(this.network, value);
    const canonical = constant && canonicalIntegers(constant);
    const [scale] = constant?.scales ?? [];
    if (canonical === undefined || constant!.scales.length !== 1 || !(scale > 0 && Number.isFinite(scale)))
      return undefined;
    const quantization = { scale, zeroPoint: canonical.zeroPoints[0] };
    const { buffer } = this.program.constant(value, 'int8', constant!.dims, canonical.values, quantization);
    const view = { ...plainView(buffer, constant!.dims), quantization };
    this.setInteger(value, view);
    return view;
  }

  /** The float form of a value; dequantizes its int8 form at need. */
  float(value: string): View {
    const view = this.floats.get(value) ?? this.floatInput(value) ?? this.floatOfConstant(value);
    const integer = view === undefined && !this.network.isBytes(value) ? this.integer(value) : undefined;
    const found = view ?? (integer && this.dequantize(value, integer));
    if (found === undefined)
      throw new Unsupported(
        `'${value}' (${this.network.typeOf(value)?.type}) is not available to the engine as float32`,
      );
    this.floats.set(value, found);
    return found;
  }

  private floatInput(value: string): View | undefined {
    const { network } = this;
    if (!network.graph.inputs.includes(value) || network.typeOf(value)?.type !== 'float32') return undefined;
    return plainView(this.port(value), network.extents(value));
  }

  private floatOfConstant(value: string): View | undefined {
    const constant = floatConstant(this.network, value);
    if (constant === undefined) return undefined;
    return plainView(this.program.constant(value, 'float32', constant.dims, constant.data).buffer, constant.dims);
  }

  private dequantize(value: string, integer: QuantizedView): View {
    const { program } = this;
    const source = program.dense(integer);
    const buffer = program.buffer(value, 'float32', source.buffer.count);
    const dims = [buffer.count];
    program.emit({
      name: `${value}:dequantize`,
      op: 'dequantize_s8',
      outputs: [{ buffer, dims }],
      inputs: [{ buffer: source.buffer, dims }],
      params: { channelsFirst: false },
    });
    return moveView(source, buffer);
  }

  /**
   * Quantizes a float value into a new int8 buffer: straight into memory order `order` (channels last) when it comes
   * row-major, else in the order in which it lies.
   */
  quantize(
    value: string,
    target: string,
    quantization: Quantization,
    order: readonly number[] | undefined,
  ): QuantizedView {
    const { network, program } = this;
    const extents = network.extents(value);
    const given = this.float(value);
    // A port has the extents that the caller sees, whatever it is reshaped to.
    const portExtents = given.buffer.place.kind === 'port' ? network.extents(given.buffer.name) : undefined;
    const channelsFirst =
      order !== undefined && isPlain(given, extents) && (portExtents ?? extents).join() === extents.join();
    const source = isDense(given) ? given : program.arrange(given, order ?? naturalOrder(extents.length));
    const buffer = program.buffer(target, 'int8', source.buffer.count, quantization);
    const dims = channelsFirst ? extents : source === given ? (portExtents ?? [buffer.count]) : [buffer.count];
    program.emit({
      name: target,
      op: 'quantize_s8',
      outputs: [{ buffer, dims: channelsFirst ? order.map((axis) => extents[axis]) : dims }],
      inputs: [{ buffer: source.buffer, dims }],
      params: { channelsFirst },
    });
    return { ...(channelsFirst ? stridedView(buffer, extents, order) : moveView(source, buffer)), quantization };
  }
}

/** The same bytes read with another grid: the buffer under another description, which costs nothing. */
export function relabel(view: QuantizedView, quantization: Quantization): QuantizedView {
  return { ...view, buffer: { ...view.buffer, quantization }, quantization };
}

/** The grid of bytes that no DequantizeLinear has read yet: they stand for themselves. */
function bytesGrid(unsigned: boolean): Quantization {
  return { scale: 1, zeroPoint: unsigned ? -128 : 0 };
}

/** Table between the bytes of a quantized graph input or output and canonical int8. */
export function shiftTable(unsigned: boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (unsigned ? byte ^ 0x80 : byte));
}
