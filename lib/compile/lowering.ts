import type { Diagnostic } from '../core/diagnostic';
import type { Node } from '../ir/graph';
import type { States } from '../ir/states';
import { elementCount } from '../ir/tensor';
import { evaluateConstants } from '../passes/fold-constants';
import { PLAN_MAX_RANK, PLAN_TYPES, type PlanType } from '../plan/format';
import { canonicalIntegers, floatConstant, plainConstant, quantizedConstant, scaledIntegers } from './constants';
import { Counts } from './counts';
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
 * Working state of one compilation: in which forms every value of the graph exists so far. Forms are made on demand, once each.
 * The plain form has elements of the value's own type; the integer form is int8 on a grid.
 */
export class Lowering {
  readonly network: Network;
  readonly program = new Program();
  /** Extents that only a run decides. */
  readonly counts: Counts;
  readonly diagnostics: Diagnostic[] = [];
  /** Why layers of a network with quantized tensors run in float all the same, by node. */
  readonly floatReasons = new Map<string, string>();
  private readonly plains = new Map<string, View>();
  /** Inputs and outputs that are kept from run to run. */
  private readonly kept: ReadonlySet<string>;
  private readonly integers = new Map<string, QuantizedView>();
  private readonly ports = new Map<string, Buffer>();
  private readonly absorbed = new Set<Node>();
  private readonly made = new Map<string, unknown>();

  constructor(network: Network, states: States) {
    this.network = network;
    this.counts = new Counts(network, this.program);
    this.kept = new Set([...states].flat());
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

  /** New memory of the caller, or of the plan for what it keeps, for a graph input or output. */
  portBuffer(name: string, verb: 'takes' | 'gives'): Buffer {
    const type = this.network.typeOf(name)?.type;
    if (!isPlanType(type)) throw new Unsupported(`its type is ${type} (the engine ${verb} ${PLAN_TYPES.join(', ')})`);
    const extents = this.network.extents(name);
    if (extents.length > PLAN_MAX_RANK)
      throw new Unsupported(`its rank is ${extents.length} (the engine ${verb} up to ${PLAN_MAX_RANK})`);
    return this.program.buffer(name, type, elementCount(extents), undefined, {
      kind: this.kept.has(name) ? 'state' : 'port',
    });
  }

  // --- forms of values ----------------------------------------------------------------------------------------------

  setPlain(value: string, view: View): void {
    this.plains.set(value, view);
  }

  /** Records the int8 form of the values that stand for it: the quantized tensor and what dequantizes it. */
  setInteger(value: string, view: QuantizedView): void {
    this.integers.set(value, view);
  }

  /** Records a plain result; the quantization that may end the tail is lowered by itself. */
  finishPlain(tail: Tail, view: View): void {
    this.absorb(tail.nodes.filter(({ outputs }) => outputs[0] !== tail.quantize?.value));
    this.setPlain(tail.value, view);
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
    if (!isPlanType(known?.type) || !shape?.every((dim) => typeof dim === 'number' && dim > 0)) return false;
    const extents = shape as readonly number[];
    this.setPlain(value, plainView(this.program.buffer(value, known.type, elementCount(extents)), extents));
    return true;
  }

  /** The int8 form of a value: made by a step, a quantized graph input, or a constant with one scale. */
  integer(value: string): QuantizedView | undefined {
    return this.integers.get(value) ?? this.integerConstant(value) ?? this.integerOfBytes(value);
  }

  /** The int8 form of a value that has no plain form yet. */
  onlyInteger(value: string): QuantizedView | undefined {
    return this.plains.has(value) || floatConstant(this.network, value) !== undefined ? undefined : this.integer(value);
  }

  /** Canonical int8 form of plain bytes. Its grid says nothing until a DequantizeLinear gives it one. */
  private integerOfBytes(value: string): QuantizedView | undefined {
    if (!this.network.isBytes(value)) return undefined;
    const plain = this.plains.get(value) ?? this.plainInput(value) ?? this.plainConstant(value);
    if (plain === undefined) return undefined;
    const unsigned = plain.buffer.type === 'uint8';
    const view = { ...this.shift(value, plain, 'int8', bytesGrid(unsigned)), quantization: bytesGrid(unsigned) };
    this.setInteger(value, view);
    return view;
  }

  /** Plain bytes of a value that exists as canonical int8. */
  private bytesOfInteger(value: string): View | undefined {
    const integer = this.network.isBytes(value) ? this.integers.get(value) : undefined;
    if (integer === undefined) return undefined;
    return this.shift(value, integer, this.network.typeOf(value)!.type as 'int8' | 'uint8');
  }

  /** The view with every byte moved between uint8 and int8 (by 128), or copied. */
  private shift(value: string, view: View, type: 'int8' | 'uint8', quantization?: Quantization): View {
    const { program } = this;
    const unsigned = this.network.typeOf(value)!.type === 'uint8';
    // A table goes over a port as it stands.
    const source = isDense(view) ? view : program.rowMajor(view);
    const { count } = source.buffer;
    const buffer = program.buffer(`${value}:${type}`, type, count, quantization);
    program.emit({
      name: value,
      op: 'lut_s8',
      outputs: [{ buffer, dims: [count] }],
      inputs: [
        { buffer: source.buffer, dims: [count] },
        program.constant(`${value}:table`, 'uint8', [256], shiftTable(unsigned)),
      ],
    });
    return moveView(source, buffer);
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
    const view = this.network.isReal(value) ? this.findPlain(value) : undefined;
    if (view !== undefined) return view;
    throw new Unsupported(`'${value}' (${this.network.typeOf(value)?.type}) is not available to the engine as float32`);
  }

  /** The form of a value in its own type. */
  plain(value: string): View {
    const view = this.findPlain(value);
    if (view !== undefined) return view;
    throw new Unsupported(`'${value}' (${this.network.typeOf(value)?.type}) is not available to the engine`);
  }

  /** Makes constants of what a node over constants gives: constant outputs of the graph keep their nodes until here. */
  evaluate(node: Node): boolean {
    const { network, program } = this;
    if (network.isWrong(node)) return false;
    const inputs = node.inputs.map((name) => network.initializer(name));
    const types = node.outputs.map((name) => network.typeOf(name)?.type);
    const values = evaluateConstants(node, inputs, types);
    // Less than there may be, where a run decides how much: the kernel gives it with its count.
    const held = [...(values ?? [])].every(([name, { type, dims }]) => {
      const shape = network.typeOf(name)?.shape;
      return isPlanType(type) && !dims.includes(0) && shape?.join() === dims.join();
    });
    if (values === undefined || !held) return false;
    for (const [name, { type, dims, bytes }] of values)
      this.setPlain(name, plainView(program.constant(name, type as PlanType, dims, bytes).buffer, dims));
    return true;
  }

  /** Whether a value exists in its own type already. */
  hasPlain(value: string): boolean {
    return this.plains.has(value);
  }

  private findPlain(value: string): View | undefined {
    const known = this.plains.get(value) ?? this.plainInput(value) ?? this.plainConstant(value);
    const integer = known === undefined && this.network.isReal(value) ? this.integer(value) : undefined;
    const found = known ?? (integer ? this.dequantize(value, integer) : this.bytesOfInteger(value));
    if (found !== undefined) this.plains.set(value, found);
    return found;
  }

  private plainInput(value: string): View | undefined {
    const { network } = this;
    if (!network.graph.inputs.includes(value) || network.typeOf(value)?.shape === undefined) return undefined;
    return plainView(this.port(value), network.extents(value));
  }

  private plainConstant(value: string): View | undefined {
    const constant = plainConstant(this.network, value);
    if (constant === undefined) return undefined;
    const { type, dims, data } = constant;
    const scaled = () => scaledIntegers(this.network, value, (elements) => elements);
    return plainView(this.program.constant(value, type, dims, data, undefined, scaled).buffer, dims);
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

export function isPlanType(type: string | undefined): type is PlanType {
  return (PLAN_TYPES as readonly (string | undefined)[]).includes(type);
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
