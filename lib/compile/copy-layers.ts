import type { Node } from '../ir/graph';
import { roundHalfToEven } from '../ops/half';
import type { KernelCall } from '../ops/operator';
import { requantize } from './element-layers';
import { type Lowering, type QuantizedView, Unsupported } from './lowering';
import { limit } from './number';
import type { Buffer, Quantization } from './step';
import { channelsLastOrder, extentsOf, reshapeView, sliceView, stridedView, transposeView, type View } from './view';
import { finishInteger } from './window-layers';

type Call<K extends KernelCall['kernel']> = Extract<KernelCall, { kernel: K }>;

/** Lowers Reshape, Flatten, Squeeze and the like: another view of the same memory wherever factors allow. */
export function lowerReshape(state: Lowering, node: Node): void {
  const extents = state.extents(node.outputs[0]);
  rearrange(state, node, (view) => reshapeView(view, extents));
}

/** Lowers Transpose: a view; the copy happens when a kernel needs another memory order. */
export function lowerTranspose(state: Lowering, node: Node, call: Call<'transpose'>): void {
  rearrange(state, node, (view) => transposeView(view, call.permutation));
}

/** Lowers Slice: a view with an offset and steps. */
export function lowerSlice(state: Lowering, node: Node, call: Call<'slice'>): void {
  const extents = state.extents(node.outputs[0]);
  rearrange(state, node, (view) => sliceView(view, call.starts, call.steps, extents));
}

/** Lowers a constant Pad: fills the result, then copies the input into it. */
export function lowerPad(state: Lowering, node: Node, call: Call<'pad'>): void {
  const [output] = node.outputs;
  const extents = state.extents(output);
  const { view, set } = formOf(state, node.inputs[0]);
  const buffer = resultBuffer(state, output, extents, view);
  const target = stridedView(buffer, extents, channelsLastOrder(extents.length));
  state.emit({
    name: `${node.name}:fill`,
    op: 'fill',
    outputs: [{ buffer, dims: [buffer.count] }],
    inputs: [],
    params: { value: fillPattern(call.value, view.buffer.quantization) },
  });
  const inside = sliceView(
    target,
    call.before,
    extents.map(() => 1),
    extentsOf(view),
  );
  if (inside === undefined || call.before.some((count) => count < 0)) throw new Unsupported('negative padding');
  state.copy(node.name, view, inside);
  set(output, target);
}

/** Lowers Concat: every input is copied into its part; int8 inputs first move to the grid of the result. */
export function lowerConcat(state: Lowering, node: Node, call: Call<'concat'>): void {
  const [output] = node.outputs;
  const extents = state.extents(output);
  const axis = call.axis < 0 ? call.axis + extents.length : call.axis;
  const tail = state.tail(output);
  const unbounded = tail.bounds.every((bound) => !Number.isFinite(bound));
  const integers = node.inputs.map((input) => state.integer(input));
  let views: View[] | undefined;
  let quantization: Quantization | undefined;
  if (integers.every((view): view is QuantizedView => view !== undefined)) {
    quantization = unbounded ? tail.quantize?.quantization : undefined;
    const grid = quantization ?? commonGrid(integers);
    if (grid !== undefined) {
      views = integers.map((view, index) => requantize(state, `${node.name}:${index}`, view, node.inputs[index], grid));
      if (quantization === undefined) quantization = grid;
    }
  }
  views ??= node.inputs.map((input) => state.float(input));
  const buffer = resultBuffer(state, output, extents, views[0], quantization);
  const whole = stridedView(buffer, extents, channelsLastOrder(extents.length));
  let start = 0;
  for (const [index, view] of views.entries()) {
    const part = extentsOf(view);
    const starts = extents.map((_, other) => (other === axis ? start : 0));
    const target = sliceView(
      whole,
      starts,
      extents.map(() => 1),
      part,
    );
    if (target === undefined) throw new Unsupported('concatenation along a factored axis');
    state.copy(`${node.name}:${index}`, view, target);
    start += part[axis];
  }
  if (quantization === undefined) state.setFloat(output, whole);
  else if (unbounded && tail.quantize !== undefined) finishInteger(state, tail, { ...whole, quantization });
  else state.setInteger(output, { ...whole, quantization });
}

/** Applies a change of view to the form that a value has (int8 before float), with a copy only where no view exists. */
function rearrange(state: Lowering, node: Node, change: (view: View) => View | undefined): void {
  const { view, set } = formOf(state, node.inputs[0]);
  const plain = (): View =>
    state.arrange(
      view,
      extentsOf(view).map((_, axis) => axis),
    );
  const changed = change(view) ?? change(plain());
  if (changed === undefined) throw new Unsupported(`${node.op} cannot be expressed as a view`);
  set(node.outputs[0], changed);
}

function formOf(state: Lowering, value: string): { view: View; set: (output: string, view: View) => void } {
  const integer = state.integer(value);
  if (integer === undefined) return { view: state.float(value), set: (output, view) => state.setFloat(output, view) };
  const { quantization } = integer;
  return { view: integer, set: (output, view) => state.setInteger(output, { ...view, quantization }) };
}

function resultBuffer(
  state: Lowering,
  name: string,
  extents: readonly number[],
  like: View,
  quantization: Quantization | undefined = like.buffer.quantization,
): Buffer {
  const count = extents.reduce((product, extent) => product * extent, 1);
  return state.buffer(name, like.buffer.type, count, quantization);
}

function commonGrid(views: readonly QuantizedView[]): Quantization | undefined {
  const [{ quantization }] = views;
  const same = views.every(
    (view) => view.quantization.scale === quantization.scale && view.quantization.zeroPoint === quantization.zeroPoint,
  );
  return same ? quantization : undefined;
}

/** Bit pattern of a pad value in the grid of an int8 buffer, or of a float. */
function fillPattern(value: number, quantization: Quantization | undefined): number {
  if (quantization === undefined) return new Uint32Array(Float32Array.of(value).buffer)[0];
  return limit(roundHalfToEven(Math.fround(value / quantization.scale)) + quantization.zeroPoint, -128, 127) & 0xff;
}
