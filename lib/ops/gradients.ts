import { attribute } from '../ir/attribute';
import { type Tensor, tensorFrom } from '../ir/tensor';
import type { Emitter, GradientContext } from './operator';

/** Tensor of int64 numbers, one-dimensional: axes, shapes, starts. */
export function int64s(emit: Emitter, values: readonly number[]): string {
  return emit.constant(tensorFrom('int64', [values.length], values));
}

/** float32 constant; a scalar when `dims` is left out. */
export function floats(emit: Emitter, values: readonly number[], dims: readonly number[] = []): string {
  const tensor: Tensor = tensorFrom('float32', dims, values);
  return emit.constant(tensor);
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

/** Repeats the gradient of a reduction's output over the elements that were reduced. */
export function spreadOver({ node, emit }: GradientContext, gradient: string): string {
  const dims = dimsOf(emit, node.inputs[0]);
  const axes = node.inputs[1] ?? '';
  const everything = axes === '' || dimsOf(emit, axes)[0] === 0;
  if (everything && attribute(node, 'noop_with_empty_axes', 'int', 0) !== 0) return gradient;
  const keeps = attribute(node, 'keepdims', 'int', 1) !== 0;
  const ones = dims.map(() => 1);
  const column = everything
    ? reshapeTo(emit, gradient, ones)
    : keeps
      ? gradient
      : emit.node('Unsqueeze', [gradient, axes]);
  return emit.node('Expand', [column, int64s(emit, dims)]);
}
