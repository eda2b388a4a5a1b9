import { BINARY_OPERATIONS, type BinaryOperation } from '../core/binary-operation';
import { HoneError } from '../core/error';
import type { Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import type { KernelCall } from '../ops/operator';
import type { OpRule } from '../plan/op-rule';
import { PLAN_OPS, type PlanOp } from '../plan/plan-ops';
import { clampOf, composeBounds, floatClamp, NO_BOUNDS, sameGrid, tableOf } from './grid';
import { type Lowering, type QuantizedView, relabel } from './lowering';
import type { Network } from './network';
import type { Program } from './program';
import { repeatOperand } from './repeat-operand';
import { type Quantization, stepName } from './step';
import { Unsupported } from './unsupported';
import { broadcastView, channelsLastOrder, moveView, sizeOf, type View } from './view';

/** Lowers Add and Mul: int8 when both operands and the result are quantized, else float. */
export function lowerBinary(state: Lowering, node: Node, call: Extract<KernelCall, { kernel: 'binary' }>): void {
  const { network, program } = state;
  const tail = network.tail(node.outputs[0]);
  const { operation } = call;
  const integers = tail.quantize === undefined ? [] : node.inputs.map((input) => state.integer(input));
  const integer = integers.length > 0 && integers.every((view) => view !== undefined);
  const views: View[] = integer ? (integers as QuantizedView[]) : node.inputs.map((input) => state.float(input));
  const { lead, other } = orderOperands(program, views, network.extents(node.outputs[0]), isCommutative(operation));
  const a = program.dense(lead);
  const dims = [a.buffer.count];
  const inputs = [{ buffer: a.buffer, dims }, repeatOperand(program, other, a)];
  if (integer) {
    const { value, quantization } = tail.quantize!;
    const buffer = program.buffer(value, 'int8', a.buffer.count, quantization);
    const params = { operation, clamp: clampOf(tail.bounds, quantization) } as const;
    program.emit({ name: stepName(node, tail), op: 'binary_s8', outputs: [{ buffer, dims }], inputs, params });
    state.finishInteger(tail, { ...moveView(a, buffer), quantization });
    return;
  }
  const buffer = program.buffer(tail.value, 'float32', a.buffer.count);
  const params = { operation, clamp: floatClamp(tail.bounds) } as const;
  program.emit({ name: stepName(node, tail), op: 'binary_f32', outputs: [{ buffer, dims }], inputs, params });
  state.finishFloat(tail, moveView(a, buffer));
}

function isCommutative(operation: BinaryOperation): boolean {
  return BINARY_OPERATIONS.some(({ name, commutative }) => name === operation && commutative);
}

/**
 * Operands of an operation, both with the extents of the result: first one that has all of its elements, then the one that
 * may repeat. Where the operation is commutative they may change places (the computed one leads if both have all elements);
 * when the first repeats, it is written out.
 */
export function orderOperands(
  program: Program,
  views: readonly View[],
  extents: readonly number[],
  commutative: boolean,
): { lead: View; other: View } {
  const [a, b] = views.map((view) => broadcastView(view, extents));
  if (a === undefined || b === undefined) throw new Unsupported(`its operands do not broadcast to [${extents}]`);
  const full = views.map((view) => sizeOf(view) === elementCount(extents));
  const constant = views.map((view) => view.buffer.place.kind === 'constant');
  if (commutative && full[1] && (!full[0] || constant[0])) return { lead: b, other: a };
  return full[0] ? { lead: a, other: b } : { lead: program.rowMajor(a), other: b };
}

/** Float operations of one input and fused bounds. */
type UnaryOp = {
  [O in PlanOp]: (typeof PLAN_OPS)[O] extends { inputs: readonly ['x']; params: 'clamp'; domain: 'float' } ? O : never;
}[PlanOp];

/** @throws E_INTERNAL for a name that no such operation has */
function requireUnary(name: string): UnaryOp {
  const rule: OpRule | undefined = PLAN_OPS[name as PlanOp];
  if (rule?.inputs.join() === 'x' && rule.params === 'clamp' && rule.domain === 'float') return name as UnaryOp;
  throw new HoneError('E_INTERNAL', { message: `'${name}' is no operation of one float input and bounds` });
}

/** Lowers a unary function: a table between int8 grids, or a float operation. */
export function lowerUnary(state: Lowering, node: Node, call: Extract<KernelCall, { kernel: 'unary' }>): void {
  const { network, program } = state;
  const tail = network.tail(node.outputs[0]);
  const x = tail.quantize && state.integer(node.inputs[0]);
  if (x !== undefined) {
    const { value, quantization } = tail.quantize!;
    const [low, high] = tail.bounds;
    const view = lookUp(state, stepName(node, tail), x, value, quantization, (real) =>
      Math.min(Math.max(call.table(real), low), high),
    );
    state.finishInteger(tail, view);
    return;
  }
  if (call.float === undefined) throw new Unsupported('the engine has an int8 kernel for it, none for float');
  const source = program.dense(state.float(node.inputs[0]));
  const buffer = program.buffer(tail.value, 'float32', source.buffer.count);
  const dims = [buffer.count];
  program.emit({
    name: stepName(node, tail),
    op: requireUnary(call.float),
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: source.buffer, dims }],
    params: floatClamp(composeBounds(call.clamp ?? NO_BOUNDS, tail.bounds)),
  });
  state.finishFloat(tail, moveView(source, buffer));
}

/** Lowers QuantizeLinear where no layer absorbed it: nothing, a table between two grids, or the border kernel. */
export function lowerQuantize(state: Lowering, node: Node): void {
  const { network } = state;
  const quantization = requireGrid(network, node);
  const [input] = node.inputs;
  const [output] = node.outputs;
  const integer = state.integer(input);
  const order = wantsChannelsLast(network, output) ? channelsLastOrder(network.extents(input).length) : undefined;
  if (integer === undefined) state.setInteger(output, state.quantize(input, output, quantization, order));
  else state.setInteger(output, requantize(state, node.name, integer, output, quantization));
}

/** Images are wanted channels last, and sequences where a window slides over them. */
function wantsChannelsLast(network: Network, quantized: string): boolean {
  const rank = network.extents(quantized).length;
  if (rank !== 3) return rank === 4;
  const readers = network.readersOf(quantized).flatMap(({ outputs }) => network.readersOf(outputs[0]));
  return readers.some(({ op }) => /Conv|Pool/.test(op));
}

function requireGrid(network: Network, node: Node): Quantization {
  const grid = network.gridOf(node);
  if (grid !== undefined) return grid;
  const integers = node.op === 'QuantizeLinear' ? node.outputs[0] : node.inputs[0];
  const type = network.typeOf(integers)?.type;
  throw new Unsupported(`${type} here (the engine has uint8 and int8 with one constant float32 scale per tensor)`);
}

/** The view on another int8 grid: itself when the grids agree, else through a table. */
export function requantize(
  state: Lowering,
  name: string,
  view: QuantizedView,
  value: string,
  quantization: Quantization,
): QuantizedView {
  return sameGrid(view.quantization, quantization)
    ? view
    : lookUp(state, name, view, value, quantization, (real) => real);
}

/** Lowers DequantizeLinear: its output is a name for the integers, which become floats only when somebody needs them. */
export function lowerDequantize(state: Lowering, node: Node): void {
  const { network } = state;
  const [input] = node.inputs;
  if (network.initializer(input) !== undefined) return;
  const quantization = requireGrid(network, node);
  const known = state.integer(input);
  if (known === undefined) throw new Unsupported(`'${input}' is not available to the engine as int8`);
  const same = sameGrid(known.quantization, quantization);
  state.setInteger(node.outputs[0], same ? known : relabel(known, quantization));
}

/** Applies `real -> real` between int8 grids by a 256-entry table. */
function lookUp(
  state: Lowering,
  name: string,
  source: QuantizedView,
  value: string,
  quantization: Quantization,
  function_: (real: number) => number,
): QuantizedView {
  const { program } = state;
  const x = program.dense(source);
  const buffer = program.buffer(value, 'int8', x.buffer.count, quantization);
  const dims = [buffer.count];
  const table = tableOf(x.quantization, quantization, function_);
  program.emit({
    name,
    op: 'lut_s8',
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: x.buffer, dims }, program.constant(`${name}:table`, 'uint8', [256], table)],
  });
  return { ...moveView(x, buffer), quantization };
}
