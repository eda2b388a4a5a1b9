import type { Node } from '../ir/graph';
import { roundHalfToEven } from '../ops/half';
import type { KernelCall } from '../ops/operator';
import {
  canonicalWeights,
  clampOf,
  floatClamp,
  type Lowering,
  memoryExtents,
  type QuantizedView,
  Unsupported,
} from './lowering';
import { limit } from './number';
import type { Buffer, Operand, Quantization } from './step';
import { extentsOf, memoryOffsets, moveView, plainView, sameLayout, sizeOf, type View } from './view';
import { finishFloat, finishInteger, stepName } from './window-layers';

/** Lowers Add and Mul: int8 when both operands and the result are quantized, else float. */
export function lowerBinary(state: Lowering, node: Node, call: Extract<KernelCall, { kernel: 'binary' }>): void {
  const tail = state.tail(node.outputs[0]);
  const operation = call.operation === 'add' ? 'add' : 'multiply';
  const extents = state.extents(node.outputs[0]);
  const integers = node.inputs.map((input) => integerOperand(state, input));
  const integer = tail.quantize !== undefined && integers.every((view) => view !== undefined);
  const views: View[] = integer ? (integers as QuantizedView[]) : node.inputs.map((input) => state.float(input));
  const lead = sizeOf(views[0]) === extents.reduce((product, extent) => product * extent, 1) ? 0 : 1;
  if (extentsOf(views[lead]).join() !== extents.join()) throw new Unsupported('broadcasting of both operands');
  const a = state.dense(views[lead]);
  const b = repeatingOperand(state, node.inputs[1 - lead], views[1 - lead], a, extents);
  const dims = memoryExtents(a);
  const inputs = [{ buffer: a.buffer, dims }, b];
  if (integer) {
    const { value, quantization } = tail.quantize!;
    const buffer = state.buffer(value, 'int8', a.buffer.count, quantization);
    const clamp = clampOf(tail.bounds, quantization);
    state.emit({
      name: stepName(node, tail),
      op: 'binary_s8',
      outputs: [{ buffer, dims }],
      inputs,
      params: { operation, clamp },
    });
    finishInteger(state, tail, { ...moveView(a, buffer), quantization });
    return;
  }
  const buffer = state.buffer(tail.value, 'float32', a.buffer.count);
  const params = { operation, clamp: floatClamp(tail.bounds) } as const;
  state.emit({ name: stepName(node, tail, true), op: 'binary_f32', outputs: [{ buffer, dims }], inputs, params });
  finishFloat(state, tail, moveView(a, buffer));
}

/** Lowers a unary function: a table between int8 grids, or a float clamp. */
export function lowerUnary(state: Lowering, node: Node, call: Extract<KernelCall, { kernel: 'unary' }>): void {
  const tail = state.tail(node.outputs[0]);
  const x = state.integer(node.inputs[0]);
  if (x !== undefined && tail.quantize !== undefined) {
    const { value, quantization } = tail.quantize;
    const [lo, hi] = tail.bounds;
    const view = lookUp(state, stepName(node, tail), x, value, quantization, (real) =>
      Math.max(Math.min(call.table(real), hi), lo),
    );
    finishInteger(state, tail, view);
    return;
  }
  if (call.clamp === undefined) throw new Unsupported(`${node.op} in float (the engine has it as an int8 table only)`);
  const [lo, hi] = call.clamp;
  const bounds: [number, number] = [
    Math.min(Math.max(lo, tail.bounds[0]), tail.bounds[1]),
    Math.max(Math.min(hi, tail.bounds[1]), tail.bounds[0]),
  ];
  const source = state.dense(state.float(node.inputs[0]));
  const buffer = state.buffer(tail.value, 'float32', source.buffer.count);
  const dims = memoryExtents(source);
  state.emit({
    name: stepName(node, tail, true),
    op: 'clamp_f32',
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: source.buffer, dims }],
    params: floatClamp(bounds),
  });
  finishFloat(state, tail, moveView(source, buffer));
}

/** Lowers QuantizeLinear where no layer absorbed it: nothing, a table between two grids, or the border kernel. */
export function lowerQuantize(state: Lowering, node: Node): void {
  const quantization = state.activationQuantization(node);
  if (quantization === undefined) throw new Unsupported('quantization other than uint8 or int8 per tensor');
  const [input] = node.inputs;
  const [output] = node.outputs;
  const integer = state.integer(input);
  if (integer === undefined) {
    const rank = state.extents(input).length;
    state.setInteger(output, state.quantize(input, output, quantization, rank === 4 ? [0, 2, 3, 1] : undefined));
  } else state.setInteger(output, requantize(state, node.name, integer, output, quantization));
}

/** The view on another int8 grid: itself when the grids agree, else through a table. */
export function requantize(
  state: Lowering,
  name: string,
  view: QuantizedView,
  value: string,
  quantization: Quantization,
): QuantizedView {
  const { scale, zeroPoint } = view.quantization;
  if (scale === quantization.scale && zeroPoint === quantization.zeroPoint) return view;
  return lookUp(state, name, view, value, quantization, (real) => real);
}

/** Lowers DequantizeLinear: its output is a name for the integers, which become floats only when somebody needs them. */
export function lowerDequantize(state: Lowering, node: Node): void {
  const [input] = node.inputs;
  if (state.graph.initializers.has(input)) return;
  const quantization = state.activationQuantization(node);
  if (quantization === undefined) throw new Unsupported('dequantization other than uint8 or int8 per tensor');
  const known = state.integer(input);
  if (known === undefined && !state.graph.inputs.includes(input))
    throw new Unsupported(`'${input}' is not available to the engine as int8`);
  const view = known ?? integerInput(state, input, quantization);
  const same = view.quantization.scale === quantization.scale && view.quantization.zeroPoint === quantization.zeroPoint;
  if (!same) throw new Unsupported(`'${input}' is dequantized with another scale than it was quantized with`);
  state.setInteger(node.outputs[0], view);
}

/** Bytes of a quantized graph input or output moved between the user's type and canonical int8. */
export function shiftTable(type: 'int8' | 'uint8'): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (type === 'uint8' ? byte ^ 0x80 : byte));
}

/** Canonical int8 form of a quantized graph input. */
function integerInput(state: Lowering, name: string, quantization: Quantization): QuantizedView {
  const extents = state.extents(name);
  const port = state.port(name);
  if (port.type === 'float32' || port.type === 'int32')
    throw new Unsupported(`input '${name}' of type ${port.type} as int8`);
  const buffer = state.buffer(`${name}:int8`, 'int8', port.count, quantization);
  const table = state.constant(`${name}:table`, 'uint8', [256], shiftTable(port.type));
  state.emit({
    name,
    op: 'lut_s8',
    outputs: [{ buffer, dims: [port.count] }],
    inputs: [{ buffer: port, dims: [port.count] }, table],
  });
  const view = { ...plainView(buffer, extents), quantization };
  state.setInteger(name, view);
  return view;
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
  const x = state.dense(source);
  const table = new Uint8Array(256);
  for (let q = -128; q < 128; q++) {
    const real = Math.fround((q - x.quantization.zeroPoint) * x.quantization.scale);
    const result = Math.fround(Math.fround(function_(real)) / quantization.scale);
    table[q & 0xff] = limit(roundHalfToEven(result) + quantization.zeroPoint, -128, 127) & 0xff;
  }
  const buffer = state.buffer(value, 'int8', x.buffer.count, quantization);
  const dims = memoryExtents(x);
  state.emit({
    name,
    op: 'lut_s8',
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: x.buffer, dims }, state.constant(`${name}:table`, 'uint8', [256], table)],
  });
  return { ...moveView(x, buffer), quantization };
}

/** int8 form of an activation or of a per-tensor quantized constant. */
function integerOperand(state: Lowering, value: string): QuantizedView | undefined {
  const known = state.integer(value);
  if (known !== undefined) return known;
  const constant = state.quantizedConstant(value);
  const canonical = constant && canonicalWeights(constant);
  if (constant === undefined || canonical === undefined || constant.scales.length !== 1) return undefined;
  const quantization = { scale: constant.scales[0], zeroPoint: canonical.zeroPoints[0] };
  const { buffer } = state.constant(value, 'int8', constant.dims, canonical.values, quantization);
  return { ...plainView(buffer, constant.dims), quantization };
}

/**
 * The second operand of an element-wise kernel: as many elements as `a` in the same memory order, or fewer that repeat
 * with a period over the memory of `a`.
 */
function repeatingOperand(state: Lowering, value: string, view: View, a: View, extents: readonly number[]): Operand {
  if (extentsOf(view).join() === extents.join() && view.buffer.place.kind !== 'constant') {
    if (state.isDirect(view) && sameLayout(a, view)) return { buffer: view.buffer, dims: memoryExtents(view) };
    const target = state.buffer(
      `${view.buffer.name}:arranged`,
      view.buffer.type,
      a.buffer.count,
      view.buffer.quantization,
    );
    state.copy(`${value}:arrange`, view, moveView(a, target));
    return { buffer: target, dims: memoryExtents(a) };
  }
  const source = state.dense(view);
  const index = repeatingIndex(source, a, extents);
  const order = memoryOffsets(a.dims);
  const inMemory = new Float64Array(index.length);
  for (let i = 0; i < index.length; i++) inMemory[order[i]] = index[i];
  const period = shortestPeriod(inMemory);
  if (source.buffer.place.kind === 'constant')
    return constantOperand(state, source.buffer, inMemory.subarray(0, period));
  if (period === source.buffer.count && inMemory.subarray(0, period).every((element, i) => element === i))
    return { buffer: source.buffer, dims: memoryExtents(source) };
  throw new Unsupported(
    `broadcasting of '${value}' (the engine repeats whole operands along the innermost dimensions)`,
  );
}

/** For every element of the result, in logical order, the memory index in `b` that it meets. */
function repeatingIndex(b: View, a: View, extents: readonly number[]): Float64Array {
  const rank = extents.length;
  const small = extentsOf(b);
  const dims = extents.map((extent, axis) => {
    const own = axis - (rank - small.length);
    if (own < 0 || small[own] === 1) return [{ extent, stride: 0 }];
    if (small[own] !== extent) throw new Unsupported(`broadcasting [${small}] to [${extentsOf(a)}]`);
    return b.dims[own];
  });
  return memoryOffsets(dims);
}

function shortestPeriod(values: Float64Array): number {
  for (let period = 1; period <= values.length / 2; period++) {
    if (values.length % period !== 0) continue;
    if (values.every((value, index) => value === values[index % period])) return period;
  }
  return values.length;
}

/** The elements `index` of a constant buffer as a new constant. */
function constantOperand(state: Lowering, buffer: Buffer, index: Float64Array): Operand {
  if (buffer.place.kind !== 'constant') throw new Unsupported(`'${buffer.name}' is not constant`);
  const bytes = buffer.place.bytes;
  if (buffer.type === 'float32') {
    const floats = new Float32Array(bytes.slice().buffer);
    return state.constant(
      buffer.name,
      'float32',
      [index.length],
      Float32Array.from(index, (i) => floats[i]),
    );
  }
  const integers = Uint8Array.from(index, (i) => bytes[i]);
  return state.constant(buffer.name, buffer.type, [index.length], integers, buffer.quantization);
}
