import type { Node } from '../ir/graph';
import type { KernelCall } from '../ops/kernel-call';
import type { PlanType } from '../plan/format';
import type { PlanOp } from '../plan/plan-ops';
import type { ConstantSource } from './constants';
import { fillBeyond } from './fill-beyond';
import { isUnbounded, NO_BOUNDS } from './grid';
import { isPlanType, type Lowering, type QuantizedView } from './lowering';
import type { Tail } from './network';
import type { Program } from './program';
import type { Quantization } from './step';
import { Unsupported } from './unsupported';
import type { View } from './view';

/** A word for each kind of kernel call. */
export type Kernel = KernelCall['kernel'];
/** The kernel calls of one kind. */
type Call<K extends Kernel> = Extract<KernelCall, { kernel: K }>;

/** One node on its way to the engine: all that the row of a family needs to emit its steps. */
export class LoweredLayer<C extends KernelCall = KernelCall> {
  readonly node: Node;
  readonly call: C;
  /** What is computed together with the node: activations, then the quantization of the result. */
  readonly tail: Tail;
  private readonly state: Lowering;
  /** Views that stand for inputs. */
  private readonly replaced: Map<number, View>;

  constructor(
    state: Lowering,
    node: Node,
    call: C,
    tail: Tail = state.network.tail(node.outputs[0]),
    replaced = new Map<number, View>(),
  ) {
    this.replaced = replaced;
    this.state = state;
    this.node = node;
    this.call = call;
    this.tail = tail;
  }

  /** The same node with nothing behind it. */
  alone(): LoweredLayer<C> {
    const [value] = this.node.outputs;
    const tail = { nodes: [], bounds: NO_BOUNDS, value, quantize: undefined };
    return new LoweredLayer(this.state, this.node, this.call, tail, this.replaced);
  }

  /** The same node, alone where activations stand before the quantization of its result. */
  withoutActivations(): LoweredLayer<C> {
    return isUnbounded(this.tail.bounds) ? this : this.alone();
  }

  /** Steps, buffers and copies. */
  get program(): Program {
    return this.state.program;
  }

  /** Constants of the network. */
  get constants(): ConstantSource {
    return this.state.network;
  }

  /** Extents of the result. @throws Unsupported when they are not known */
  get extents(): number[] {
    return this.state.network.extents(this.node.outputs[0]);
  }

  /** Whether the result holds floats. */
  get isReal(): boolean {
    return this.state.network.isReal(this.node.outputs[0]);
  }

  /** The type of the result. @throws Unsupported for a type that plans have not */
  get type(): PlanType {
    const type = this.state.network.typeOf(this.node.outputs[0])?.type;
    if (isPlanType(type)) return type;
    throw new Unsupported(`its result is ${type}`);
  }

  /** The type of a result of plain bytes, which stand for themselves; undefined for floats. */
  get bytes(): 'int8' | 'uint8' | undefined {
    const { network } = this.state;
    const [output] = this.node.outputs;
    return network.isBytes(output) ? (network.typeOf(output)!.type as 'int8' | 'uint8') : undefined;
  }

  /** Extents of an input. @throws Unsupported when they are not known */
  inputExtents(index: number): number[] {
    return this.state.network.extents(this.node.inputs[index]);
  }

  /** Float form of an input. @throws Unsupported when there is none */
  float(index = 0): View {
    return this.replaced.get(index) ?? this.state.float(this.node.inputs[index]);
  }

  /** Input in its own type. @throws Unsupported when there is none */
  plain(index = 0): View {
    return this.replaced.get(index) ?? this.state.plain(this.node.inputs[index]);
  }

  /** int8 form of an input; undefined when there is none. */
  integer(index = 0): QuantizedView | undefined {
    return this.replaced.has(index) ? undefined : this.state.integer(this.node.inputs[index]);
  }

  /** An input in its own type, with a number wherever it lies beyond extents that the run decides. */
  filled(index: number, number: number): View {
    return fillBeyond(this.state, this.node.inputs[index], this.plain(index), number);
  }

  /** Puts another view in the place of an input. */
  replace(index: number, view: View): void {
    this.replaced.set(index, view);
  }

  /** What tells the extent of an axis of an input; undefined where it is known before. */
  countOf(index: number, axis: number): View | undefined {
    const { network, counts } = this.state;
    const dim = network.shapeOf(this.node.inputs[index])?.[axis];
    return dim !== undefined && network.bounded.isBounded(dim) ? counts.of(dim) : undefined;
  }

  /** Records what tells the extent of an axis of the result. */
  setCount(axis: number, count: View): void {
    this.state.counts.set(this.node.outputs[0], axis, count);
  }

  /** How many nodes read a value, and whether it is an output of the model. */
  readers(value: string): { readonly nodes: number; readonly isOutput: boolean } {
    const { network } = this.state;
    return { nodes: network.readersOf(value).length, isOutput: network.graph.outputs.includes(value) };
  }

  /** What `make` returns, made once for equal keys: what layers with one tensor share. */
  once<T>(key: string, make: () => T): T {
    return this.state.once(key, make);
  }
}

/** A layer of one kind. */
export type LayerOf<K extends Kernel> = LoweredLayer<Call<K>>;

/** What the int8 form of a layer works with. */
export interface Integers {
  /** The operands that its row asks for. */
  readonly operands: readonly QuantizedView[];
  /** Grid of the result. */
  readonly grid: Quantization;
}

/** How a family computes with integers. */
export interface IntegerForm<C extends KernelCall> {
  /** Inputs that must be there as int8: the first, or all of them. */
  readonly operands: 'first' | 'all';
  /**
   * Grid of the result: that of the QuantizeLinear behind it (activations in between are fused); that of its operand; or the
   * one behind it where that follows at once, else the one that all operands share.
   */
  readonly grid: 'result' | 'operand' | 'either';
  /**
   * Checks what else int8 needs, and returns what emits the steps.
   * @throws Unsupported with the reason why the layer runs in float instead
   */
  lower(layer: LoweredLayer<C>, integers: Integers): () => Results;
}

/** What a layer gives: its output, or all of them in order (undefined for those that nobody reads). */
export type Results = View | readonly (View | undefined)[];

/** How a family computes in float, and on values of other types as they are. */
export interface FloatForm<C extends KernelCall> {
  /** Whether activations behind it are computed with it. */
  readonly fuses: boolean;
  /** Types of the first output besides float32 that it gives. */
  readonly types?: readonly PlanType[] | 'any';
  lower(layer: LoweredLayer<C>): Results;
}

/** One family of kernels: the engine operations that do its work, and its forms. */
export interface Family<C extends KernelCall = KernelCall> {
  readonly ops: readonly PlanOp[];
  readonly integer?: IntegerForm<C>;
  readonly float?: FloatForm<C>;
  /** Where int8 and float meet there is nothing to decide. */
  border?(layer: LoweredLayer<C>, state: Lowering): void;
}

/** The family of one kind of kernel call. */
export type FamilyOf<K extends Kernel> = Family<Call<K>>;
