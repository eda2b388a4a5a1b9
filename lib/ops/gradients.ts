import { ELEMENT_TYPES, type ElementType } from '../ir/element-type';
import type { Node } from '../ir/graph';
import { type Tensor, tensorFrom } from '../ir/tensor';
import { keepsAxes, reducesNoAxis } from './axes';
import type { Emitter, GradientContext, Operator } from './operator';

/** Tensor of int64 numbers, one-dimensional: axes, shapes, starts. */
export function int64s(emit: Emitter, values: readonly number[]): string {
  return emit.constant(tensorFrom('int64', [values.length], values));
}

/** float32 constant; a scalar when `dims` is left out. */
export function floats(emit: Emitter, values: readonly number[], dims: readonly number[] = []): string {
  const tensor: Tensor = tensorFrom('float32', dims, values);
  return emit.constant(tensor);
}

/** Emits one node of a formula; operands that are numbers become float32 scalars. */
export type Formula = (op: string, ...operands: (string | number)[]) => string;

/** Writes formulas with `emit`: `f('Mul', dy, f('Sub', 1, y))`. */
export function formulas(emit: Emitter): Formula {
  return (op, ...operands) =>
    emit.node(
      op,
      operands.map((operand) => (typeof operand === 'number' ? floats(emit, [operand]) : operand)),
    );
}

/**
 * Derivative of an element-wise function, written with `f` from its input `x` or, where that is cheaper, its output `y`.
 */
export type Slope = (f: Formula, x: string, y: string, node: Node) => string;

/** Gradient rule of an element-wise function of one input: dx = dy * slope. */
export function gradientBySlope(slope: Slope): NonNullable<Operator['gradient']> {
  return ({ node, emit, outputGradients: [dy] }) => {
    const f = formulas(emit);
    return [f('Mul', dy!, slope(f, node.inputs[0], node.outputs[0], node))];
  };
}

/** The elements as another type; the value itself when it has that type already. */
export function castTo(emit: Emitter, value: string, type: ElementType): string {
  return emit.typeOf(value).type === type ? value : emit.node('Cast', [value], { to: ELEMENT_TYPES[type].code });
}

/** float32 zerosOf of a shape. */
export function zerosOf(emit: Emitter, dims: readonly number[]): string {
  return emit.node('Expand', [floats(emit, [0]), int64s(emit, dims)]);
}

/** Every element repeated along each axis as often as `times` says; the value itself when that is once. */
export function repeatElements(emit: Emitter, value: string, times: readonly number[]): string {
  if (times.every((count) => count === 1)) return value;
  return emit.node('Resize', [value, '', floats(emit, times, [times.length])], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
}

/** Extents of a value. While gradients are built every shape is made of numbers. */
export function dimsOf(emit: Emitter, value: string): readonly number[] {
  return emit.typeOf(value).shape as readonly number[];
}

/** The value in another shape; itself when it has that shape already. */
export function reshapeTo(emit: Emitter, value: string, dims: readonly number[]): string {
  if (dimsOf(emit, value).join() === dims.join()) return value;
  return emit.node('Reshape', [value, int64s(emit, dims)]);
}

/** The value with its axes permuted; itself when the permutation changes nothing. */
export function transposeTo(emit: Emitter, value: string, perm: readonly number[]): string {
  return perm.every((axis, index) => axis === index) ? value : emit.node('Transpose', [value], { perm });
}

/** The part of `value` that begins at `starts` and has extents `dims`; the value itself when that is all of it. */
export function cut(emit: Emitter, value: string, starts: readonly number[], dims: readonly number[]): string {
  const axes = dimsOf(emit, value).flatMap((extent, axis) => (extent === dims[axis] ? [] : [axis]));
  if (axes.length === 0) return value;
  const from = axes.map((axis) => starts[axis]);
  const to = axes.map((axis) => starts[axis] + dims[axis]);
  return emit.node('Slice', [value, ...[from, to, axes].map((values) => int64s(emit, values))]);
}

/** Sum over `axes`, which disappear. */
export function sumOver(emit: Emitter, value: string, axes: readonly number[]): string {
  return axes.length === 0 ? value : emit.node('ReduceSum', [value, int64s(emit, axes)], { keepdims: 0 });
}

/** Undoes broadcasting: sums a gradient over the axes along which an operand of shape `dims` was repeated. */
export function sumToShape(emit: Emitter, gradient: string, dims: readonly number[]): string {
  const from = dimsOf(emit, gradient);
  const missing = from.length - dims.length;
  const axes = from.flatMap((extent, axis) =>
    axis < missing || (dims[axis - missing] === 1 && extent !== 1) ? [axis] : [],
  );
  return reshapeTo(emit, sumOver(emit, gradient, axes), dims);
}

/** Gradients of both operands of a broadcasting operator, from unreduced ones; what nobody wants is not built. */
export function sumToOperands(
  { node, emit, wants }: GradientContext,
  first: () => string,
  second: () => string,
): (string | undefined)[] {
  return [first, second].map((build, index) =>
    wants(index) ? sumToShape(emit, build(), dimsOf(emit, node.inputs[index])) : undefined,
  );
}

/** A reduction's output, or the gradient of it, with one element along every reduced axis, so that it broadcasts to the input. */
export function asColumn({ node, emit }: GradientContext, value: string): string {
  const dims = dimsOf(emit, node.inputs[0]);
  const axes = node.inputs[1] ?? '';
  const everything = axes === '' || dimsOf(emit, axes)[0] === 0;
  if (reducesNothing({ node, emit }) || keepsAxes(node)) return value;
  if (!everything) return emit.node('Unsqueeze', [value, axes]);
  return reshapeTo(
    emit,
    value,
    dims.map(() => 1),
  );
}

/** Whether a reduction is one of each element alone: no axes, which is told to mean none instead of all. */
export function reducesNothing({ node, emit }: Pick<GradientContext, 'node' | 'emit'>): boolean {
  const axes = node.inputs[1] ?? '';
  const none = axes === '' || dimsOf(emit, axes)[0] === 0;
  return none && reducesNoAxis(node);
}

/** Repeats the gradient of a reduction's output over the elements that were reduced. */
export function spreadOver(context: GradientContext, gradient: string): string {
  const { node, emit } = context;
  const dims = dimsOf(emit, node.inputs[0]);
  const column = asColumn(context, gradient);
  return dimsOf(emit, column).join() === dims.join() ? column : emit.node('Expand', [column, int64s(emit, dims)]);
}
