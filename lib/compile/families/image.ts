import { elementCount } from '../../ir/tensor';
import type { Window } from '../../ops/kernel-call';
import type { PlanWindow } from '../../plan/description';
import { PLAN_MAX_WINDOW_REACH } from '../../plan/format';
import type { LoweredLayer } from '../layer';
import type { Operand, Quantization } from '../step';
import { Unsupported } from '../unsupported';
import { channelsLastOrder, extentsOf, stridedView, type View } from '../view';

/**
 * The window over `x` [N, H, W, C] that gives `y`; bottom and right padding follow from the extents.
 * @throws Unsupported for windows that the loader of plans refuses
 */
export function planWindow({ kernel, stride, dilation, pads }: Window, x: Operand, y: Operand): PlanWindow {
  // The step of a window that stands in one place means nothing, however large.
  const steps = stride.map((step, axis) => (y.dims[axis + 1] === 1 ? 1 : step)) as [number, number];
  const padded = [0, 1].map((axis) => {
    const reach = (y.dims[axis + 1] - 1) * steps[axis] + (kernel[axis] - 1) * dilation[axis];
    const largest = Math.max(kernel[axis], dilation[axis], pads[axis], reach, x.dims[axis + 1]);
    if (largest >= PLAN_MAX_WINDOW_REACH) throw new Unsupported(`its window reaches over ${largest} elements`);
    return pads[axis] + reach + 1;
  });
  const limit = 64 * (elementCount(x.dims) + elementCount(y.dims)) + 2 ** 20;
  if (padded[0] * padded[1] * x.dims[3] > limit) throw new Unsupported('its padding is out of proportion to its input');
  return { kernel, stride: steps, dilation, pad: [pads[0], pads[1]] };
}

/** [N, C, H, W] of an image or of a sequence [N, C, L] (one row). */
export function imageExtents(extents: readonly number[]): [number, number, number, number] {
  if (extents.length === 3) return [extents[0], extents[1], 1, extents[2]];
  if (extents.length === 4) return extents as [number, number, number, number];
  throw new Unsupported(`windows over ${extents.length - 2} spatial dimensions (the engine has 1 and 2 here)`);
}

/** A view as [N, H, W, C] operand. */
export function imageOperand({ program }: LoweredLayer, view: View): Operand {
  const extents = extentsOf(view);
  const [n, c, h, w] = imageExtents(extents);
  return { buffer: program.arrange(view, channelsLastOrder(extents.length)).buffer, dims: [n, h, w, c] };
}

/** A view of an image or of a sequence (one row) as that of an image [N, C, H, W]. */
export function asImage(view: View): View {
  const [n, c, ...spatial] = view.dims;
  return spatial.length === 1 ? { ...view, dims: [n, c, [{ extent: 1, stride: 0 }], ...spatial] } : view;
}

/** A new channels-last buffer of `extents` for the result of a layer: int8 with a grid, else float. */
export function imageResult(
  { program, extents: own, tail }: LoweredLayer,
  quantization?: Quantization,
  extents: readonly number[] = own,
): { operand: Operand; view: View } {
  const [n, c, h, w] = imageExtents(extents);
  const type = quantization ? 'int8' : 'float32';
  const name = quantization && tail.quantize ? tail.quantize.value : tail.value;
  const buffer = program.buffer(name, type, elementCount(extents), quantization);
  return {
    operand: { buffer, dims: [n, h, w, c] },
    view: stridedView(buffer, extents, channelsLastOrder(extents.length)),
  };
}

/** One window over images: extents [N, H, W, C] of what it reads and makes. */
export interface WindowPass {
  readonly window: Window;
  readonly from: readonly [number, number, number, number];
  readonly to: readonly [number, number, number, number];
}

/**
 * The windows that pool `x` to `y` one behind the other, for channels-last memory: one for images and sequences; for volumes
 * [N, C, depth, H, W] rows and columns of every slice first, then slices, each a row of as many channels as it has elements.
 */
export function windowPasses(window: Window, x: readonly number[], y: readonly number[]): readonly WindowPass[] {
  if (x.length !== 5) {
    const [[n, c, h, w], [, , height, width]] = [imageExtents(x), imageExtents(y)];
    return [{ window, from: [n, h, w, c], to: [n, height, width, c] }];
  }
  const [[n, c, depth, h, w], [, , slices, height, width]] = [x, y];
  const { kernel, stride, dilation, pads } = window.depth!;
  const across: Window = {
    kernel: [kernel, 1],
    stride: [stride, 1],
    dilation: [dilation, 1],
    pads: [pads[0], 0, pads[1], 0],
  };
  const row = height * width * c;
  return [
    { window, from: [n * depth, h, w, c], to: [n * depth, height, width, c] },
    { window: across, from: [n, depth, 1, row], to: [n, slices, 1, row] },
  ];
}
