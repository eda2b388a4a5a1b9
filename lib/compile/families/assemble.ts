import { elementCount } from '../../ir/tensor';
import type { PlanFillParams } from '../../plan/description';
import type { LoweredLayer } from '../layer';
import type { Program } from '../program';
import type { Buffer } from '../step';
import { Unsupported } from '../unsupported';
import { channelsLastOrder, extentsOf, mergeFactors, sliceView, stridedView, type View } from '../view';

/** A new buffer for the result of a layer, channels last, with the type and grid of `like`; `extents` where they are others. */
export function resultView(
  { node, program, extents: own }: LoweredLayer,
  like: Buffer,
  extents: readonly number[] = own,
): View {
  const buffer = program.buffer(node.outputs[0], like.type, elementCount(extents), like.quantization);
  return stridedView(buffer, extents, channelsLastOrder(extents.length));
}

/**
 * The box of `extents` elements from `starts` on, every `steps[axis]`-th of them.
 * @throws Unsupported when it does not lie inside
 */
export function part(
  whole: View,
  starts: readonly number[],
  extents: readonly number[],
  steps: readonly number[] = starts.map(() => 1),
): View {
  const full = extentsOf(whole);
  if (starts.some((start, axis) => start < 0 || start + (extents[axis] - 1) * steps[axis] >= full[axis]))
    throw new Unsupported(`a part [${extents}] at [${starts}] does not lie inside [${full}]`);
  return sliceView(whole, starts, steps, extents)!;
}

/** Copies views one behind the other along an axis of `whole`. */
export function copyBehind(program: Program, name: string, views: readonly View[], whole: View, axis: number): View {
  let start = 0;
  for (const [index, view] of views.entries()) {
    const extents = extentsOf(view);
    const starts = extents.map((_, other) => (other === axis ? start : 0));
    program.copy(`${name}${index}`, view, part(whole, starts, extents));
    start += extents[axis];
  }
  return whole;
}

/** The view, in row-major order where one of `axes` is spread over several factors, so that no part of it is a view. */
export function cuttable(program: Program, view: View, axes: readonly number[]): View {
  return axes.every((axis) => mergeFactors(view.dims[axis]).length <= 1) ? view : program.rowMajor(view);
}

/** Fills a buffer with one element, given by its bit pattern. */
export function fill(program: Program, name: string, buffer: Buffer, params: PlanFillParams): void {
  program.emit({ name, op: 'fill', outputs: [{ buffer, dims: [buffer.count] }], inputs: [], params });
}
