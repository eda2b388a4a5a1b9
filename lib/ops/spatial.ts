import { attribute, attributes } from '../ir/attribute';
import type { Dim, Node } from '../ir/graph';
import { addDims, ceilDivDims, floorDivDims, knownDims } from './dims';
import type { AxisWindow, Window } from './kernel-call';

/** Geometry of a sliding window over the spatial axes of `[N, C, spatial...]`, padding made explicit. */
export interface Spatial {
  /** Extents of the input, without padding. */
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  /** Padding behind the input that the node asks for; a ceil_mode window may reach further. */
  readonly padsEnd: readonly number[];
  readonly output: readonly number[];
}

/** The window attributes of a Conv or pooling node with their defaults, for `rank` spatial axes. */
export function windowAttributes(
  node: Node,
  rank: number,
): {
  strides: readonly number[];
  dilations: readonly number[];
  pads: readonly number[];
  autoPad: string;
  ceil: boolean;
} {
  const ones = Array<number>(rank).fill(1);
  return {
    strides: attribute(node, 'strides', 'ints', ones),
    dilations: attribute(node, 'dilations', 'ints', ones),
    pads: attribute(node, 'pads', 'ints', Array<number>(2 * rank).fill(0)),
    autoPad: attribute(node, 'auto_pad', 'string', 'NOTSET'),
    // Runtimes take every number but 1 for 0.
    ceil: attribute(node, 'ceil_mode', 'int', 0) === 1,
  };
}

/** Kernel extents of a convolution: its kernel_shape, else those of the weight `[_, _, kernel...]` when they are known. */
export function kernelOf(node: Node, weight: readonly Dim[]): readonly number[] | undefined {
  if (node.attributes.has('kernel_shape')) return attribute(node, 'kernel_shape', 'ints');
  return knownDims(weight.slice(2));
}

/** What is wrong with the window attributes for `rank` spatial axes, or undefined. */
export function checkWindow(node: Node, rank: number, kernel: readonly number[] | undefined): string | undefined {
  const { strides, dilations, pads } = windowAttributes(node, rank);
  if (kernel && kernel.length !== rank) return `expected ${rank} kernel extents, found [${kernel}]`;
  if (kernel?.some((extent) => extent < 1)) return `expected kernel extents of at least 1, found [${kernel}]`;
  if (strides.length !== rank || strides.some((stride) => stride < 1))
    return `expected ${rank} strides of at least 1, found [${strides}]`;
  if (dilations.length !== rank || dilations.some((dilation) => dilation < 1))
    return `expected ${rank} dilations of at least 1, found [${dilations}]`;
  if (pads.length !== 2 * rank || pads.some((pad) => pad < 0))
    return `expected ${2 * rank} pads of at least 0, found [${pads}]`;
  return undefined;
}

/** Extent of a kernel with holes: `(k - 1) * dilation + 1`. */
export function dilatedExtent(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/**
 * Windows of a Conv or pooling node over known extents (ONNX Conv-11, MaxPool-12, AveragePool-19).
 * With ceil_mode the last window still starts inside the input or the padding before it.
 */
export function resolveSpatial(node: Node, input: readonly number[], kernel: readonly number[]): Spatial {
  const rank = input.length;
  const { strides, dilations, pads, autoPad, ceil } = windowAttributes(node, rank);
  const padsBegin: number[] = [];
  const padsEnd: number[] = [];
  const output: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const extent = dilatedExtent(kernel[axis], dilations[axis]);
    const same = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER';
    if (same) {
      const count = Math.ceil(input[axis] / strides[axis]);
      const total = Math.max((count - 1) * strides[axis] + extent - input[axis], 0);
      const small = Math.floor(total / 2);
      padsBegin.push(autoPad === 'SAME_UPPER' ? small : total - small);
      padsEnd.push(total - padsBegin[axis]);
      output.push(count);
      continue;
    }
    padsBegin.push(autoPad === 'VALID' ? 0 : pads[axis]);
    padsEnd.push(autoPad === 'VALID' ? 0 : pads[axis + rank]);
    const slack = (input[axis] + padsBegin[axis] + padsEnd[axis] - extent) / strides[axis];
    let count = (ceil ? Math.ceil(slack) : Math.floor(slack)) + 1;
    if (ceil && (count - 1) * strides[axis] >= input[axis] + padsBegin[axis]) count--;
    output.push(count);
  }
  return { input, kernel, strides, dilations, padsBegin, padsEnd, output };
}

/** Output extents of `resolveSpatial` where input extents may be symbols. */
export function inferSpatial(node: Node, input: readonly Dim[], kernel: readonly number[]): Dim[] {
  const rank = input.length;
  const { strides, dilations, pads, autoPad, ceil } = windowAttributes(node, rank);
  return input.map((extent, axis) => {
    const pick = (values: readonly number[]): number[] => [values[axis]];
    if (typeof extent === 'number') {
      const one = { strides: pick(strides), dilations: pick(dilations), pads: [pads[axis], pads[axis + rank]] };
      const single = { ...node, attributes: new Map([...node.attributes, ...attributes(one)]) };
      return resolveSpatial(single, [extent], pick(kernel)).output[0];
    }
    const stride = strides[axis];
    if (autoPad.startsWith('SAME')) return ceilDivDims(extent, stride);
    const reach = dilatedExtent(kernel[axis], dilations[axis]);
    const [before, after] = autoPad === 'VALID' ? [0, 0] : [pads[axis], pads[axis + rank]];
    const slack = addDims(extent, before + after - reach);
    if (!ceil) return addDims(floorDivDims(slack, stride), 1);
    // The last window may have to be dropped, depending on the symbol: no polynomial says that.
    if (stride + after > reach) return `windows(${extent},${reach},${stride},${before},${after})`;
    return addDims(ceilDivDims(slack, stride), 1);
  });
}

/** Calls `visit` for every index of `dims`, last axis fastest. The array is reused. */
export function forEachIndex(dims: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const index = dims.map(() => 0);
  const total = dims.reduce((product, dim) => product * dim, 1);
  for (let flat = 0; flat < total; flat++) {
    visit(index, flat);
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis] === dims[axis]; axis--) index[axis] = 0;
  }
}

/** One kernel tap of one window that lies inside the input. */
export interface Tap {
  /** Flat position in the input plane. */
  readonly input: number;
  /** Flat position in the kernel. */
  readonly kernel: number;
}

/** For every window, in output order: its taps inside the input, in kernel order. */
export function windowTaps(spatial: Spatial): Tap[][] {
  const { input, kernel, strides, dilations, padsBegin, output } = spatial;
  const windows: Tap[][] = [];
  forEachIndex(output, (at) => {
    const taps: Tap[] = [];
    forEachIndex(kernel, (tap, kernelFlat) => {
      let flat = 0;
      for (let axis = 0; axis < input.length; axis++) {
        const position = at[axis] * strides[axis] - padsBegin[axis] + tap[axis] * dilations[axis];
        if (position < 0 || position >= input[axis]) return;
        flat = flat * input[axis] + position;
      }
      taps.push({ input: flat, kernel: kernelFlat });
    });
    windows.push(taps);
  });
  return windows;
}

/**
 * The window of a node with one to three spatial axes: one becomes a row (h = 1), the first of three is the depth. The padding
 * after the input is what the last window needs, so ceil_mode needs no flag.
 */
export function toWindow(spatial: Spatial): Window {
  const axes = spatial.kernel.map((kernel, axis): AxisWindow => {
    const [stride, dilation, before] = [spatial.strides[axis], spatial.dilations[axis], spatial.padsBegin[axis]];
    const reach = (spatial.output[axis] - 1) * stride + dilatedExtent(kernel, dilation);
    return { kernel, stride, dilation, pads: [before, Math.max(reach - before - spatial.input[axis], 0)] };
  });
  const row: AxisWindow = { kernel: 1, stride: 1, dilation: 1, pads: [0, 0] };
  const [h, w] = axes.length === 1 ? [row, axes[0]] : axes.slice(-2);
  return {
    ...(axes.length === 3 && { depth: axes[0] }),
    kernel: [h.kernel, w.kernel],
    stride: [h.stride, w.stride],
    dilation: [h.dilation, w.dilation],
    pads: [h.pads[0], w.pads[0], h.pads[1], w.pads[1]],
  };
}
