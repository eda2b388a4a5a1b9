import type { Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import type { KernelCall } from '../ops/operator';
import { requantize } from './element-layers';
import { dequantizeNumber, isUnbounded, quantizeNumber, sameGrid } from './grid';
import type { Lowering, QuantizedView } from './lowering';
import type { Tail } from './network';
import type { Buffer, Quantization } from './step';
import { Unsupported } from './unsupported';
import { channelsLastOrder, extentsOf, reshapeView, sliceView, stridedView, transposeView, type View } from './view';

type Call<K extends KernelCall['kernel']> = Extract<KernelCall, { kernel: K }>;

/** Lowers Reshape, Flatten, Squeeze and the like: another view of the same memory wherever factors allow. */
export function lowerReshape(state: Lowering, node: Node): void {
  const extents = state.network.extents(node.outputs[0]);
  changeView(state, node, (view) => reshapeView(view, extents));
}

/** Lowers Transpose: a view; the copy happens when a kernel needs another memory order. */
export function lowerTranspose(state: Lowering, node: Node, call: Call<'transpose'>): void {
  changeView(state, node, (view) => transposeView(view, call.permutation));
}

/** Lowers Slice: a view with an offset and steps. */
export function lowerSlice(state: Lowering, node: Node, call: Call<'slice'>): void {
  const extents = state.network.extents(node.outputs[0]);
  changeView(state, node, (view) => sliceView(view, call.starts, call.steps, extents));
}

/** Applies a change of view to the form that a value has (int8 before float), with a copy only where no view exists. */
function changeView(state: Lowering, node: Node, change: (view: View) => View | undefined): void {
  const [input] = node.inputs;
  const [output] = node.outputs;
  const changed = <V extends View>(view: V): V => {
    // Row-major memory has one factor per axis, which every change can express.
    const result = change(view) ?? change(state.program.rowMajor(view))!;
    return { ...view, ...result };
  };
  const integer = state.integer(input);
  if (integer === undefined) state.setFloat(output, changed(state.float(input)));
  else state.setInteger(output, changed(integer));
}

/**
 * Lowers a constant Pad: fills the result, then copies the input into it. int8 moves to the grid of the result first; the
 * int8 form is taken only where the pad value survives it unchanged.
 */
export function lowerPad(state: Lowering, node: Node, call: Call<'pad'>): void {
  const [input] = node.inputs;
  const [output] = node.outputs;
  const tail = unboundedTail(state, output);
  const integer = state.integer(input);
  if (integer !== undefined && state.network.isBytes(output)) {
    const shift = state.network.typeOf(output)!.type === 'uint8' ? 128 : 0;
    state.setInteger(output, { ...integer, ...pad(state, node, call, integer, (call.value - shift) & 0xff) });
    return;
  }
  const grid = tail?.quantize?.quantization ?? integer?.quantization;
  if (integer !== undefined && grid !== undefined) {
    const value = quantizeNumber(call.value, grid);
    if (tail?.quantize !== undefined || dequantizeNumber(value, grid) === call.value) {
      const source = requantize(state, `${node.name}:grid`, integer, input, grid);
      finish(state, output, tail, { ...source, ...pad(state, node, call, source, value & 0xff) });
      return;
    }
  }
  const bits = new Uint32Array(Float32Array.of(call.value).buffer)[0];
  state.setFloat(output, pad(state, node, call, state.float(input), bits));
}

/** Emits the fill and the copy; `value` is the bit pattern of one element. */
function pad(state: Lowering, node: Node, call: Call<'pad'>, view: View, value: number): View {
  const { program } = state;
  const target = resultView(state, node.outputs[0], view.buffer);
  const { buffer } = target;
  program.emit({
    name: `${node.name}:fill`,
    op: 'fill',
    outputs: [{ buffer, dims: [buffer.count] }],
    inputs: [],
    params: { value },
  });
  program.copy(node.name, view, part(target, call.before, extentsOf(view)));
  return target;
}

/** Lowers Concat: every input is copied into its part; int8 inputs move to the grid of the result first. */
export function lowerConcat(state: Lowering, node: Node, call: Call<'concat'>): void {
  const { network } = state;
  const [output] = node.outputs;
  const tail = unboundedTail(state, output);
  const integers = node.inputs.map((input) => state.integer(input)).filter((view) => view !== undefined);
  const all = integers.length === node.inputs.length;
  if (all && network.isBytes(output)) {
    // Bytes are joined as they are: what they stand for is up to who dequantizes them.
    state.setInteger(output, { ...integers[0], ...join(state, node, call.axis, integers) });
    return;
  }
  const grid = all ? (tail?.quantize?.quantization ?? commonGrid(integers)) : undefined;
  if (grid === undefined) {
    const views = node.inputs.map((input) => state.float(input));
    state.setFloat(output, join(state, node, call.axis, views));
    return;
  }
  const views = integers.map((view, i) => requantize(state, `${node.name}:${i}:grid`, view, node.inputs[i], grid));
  finish(state, output, tail, { ...join(state, node, call.axis, views), quantization: grid });
}

/** Copies views one behind the other along `axis` into a new buffer. */
function join(state: Lowering, node: Node, axis: number, views: readonly View[]): View {
  const whole = resultView(state, node.outputs[0], views[0].buffer);
  let start = 0;
  for (const [index, view] of views.entries()) {
    const extents = extentsOf(view);
    const starts = extents.map((_, other) => (other === axis ? start : 0));
    state.program.copy(`${node.name}:${index}`, view, part(whole, starts, extents));
    start += extents[axis];
  }
  return whole;
}

/** A new buffer for a value, channels last, with the type and grid of `like`. */
function resultView(state: Lowering, value: string, like: Buffer): View {
  const extents = state.network.extents(value);
  const buffer = state.program.buffer(value, like.type, elementCount(extents), like.quantization);
  return stridedView(buffer, extents, channelsLastOrder(extents.length));
}

/** The box of `extents` elements from `starts` on. @throws Unsupported when it does not lie inside */
function part(whole: View, starts: readonly number[], extents: readonly number[]): View {
  const full = extentsOf(whole);
  if (starts.some((start, axis) => start < 0 || start + extents[axis] > full[axis]))
    throw new Unsupported(`a part [${extents}] at [${starts}] does not lie inside [${full}]`);
  return sliceView(whole, starts, new Array<number>(full.length).fill(1), extents)!;
}

/** What follows a value, unless activations stand before the quantization: those need a pass of their own. */
function unboundedTail(state: Lowering, value: string): Tail | undefined {
  const tail = state.network.tail(value);
  return isUnbounded(tail.bounds) ? tail : undefined;
}

function finish(state: Lowering, output: string, tail: Tail | undefined, view: QuantizedView): void {
  if (tail?.quantize !== undefined) state.finishInteger(tail, view);
  else state.setInteger(output, view);
}

function commonGrid(views: readonly QuantizedView[]): Quantization | undefined {
  const [{ quantization }] = views;
  return views.every((view) => sameGrid(view.quantization, quantization)) ? quantization : undefined;
}
