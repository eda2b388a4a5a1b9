import type { AxisWindow } from '../../ops/kernel-call';
import type { LoweredLayer } from '../layer';
import { channelsLastOrder, extentsOf, type Factor, reshapeView, stridedView, type View } from '../view';
import { fill, part } from './assemble';
import { elementBits } from './element-bits';

/**
 * A volume `x` [N, C, depth, H, W] as images [N * slices, groups * taps * C / groups, H, W], channels last: the channels of
 * every slice that a tap of the window along the depth reads stand beside each other. `zero` is the number of what lies in the padding.
 * So a convolution over volumes is one over images, with the same sums.
 */
export function tapsAsChannels(
  { node, program }: LoweredLayer,
  x: View,
  groups: number,
  { kernel, stride, dilation, pads }: AxisWindow,
  slices: number,
  zero: number,
): View {
  const [n, c, depth, h, w] = extentsOf(x);
  if (kernel === 1 && stride === 1 && pads[0] === 0 && slices === depth) {
    const { buffer } = program.arrange(x, channelsLastOrder(x.dims.length));
    return stridedView(buffer, [n * depth, c, h, w], channelsLastOrder(4));
  }
  const perGroup = c / groups;
  const channels = kernel * c;
  const { type, quantization, name } = x.buffer;
  const buffer = program.buffer(`${name}:taps`, type, n * slices * h * w * channels, quantization);
  const starts = Array.from({ length: kernel }, (_, tap) => tap * dilation - pads[0]);
  // The slices of the result whose tap lies inside.
  const ranges = starts.map((start) => {
    const first = Math.max(0, Math.ceil(-start / stride));
    const last = Math.min(slices - 1, Math.floor((depth - 1 - start) / stride));
    return { first, count: last - first + 1 };
  });
  if (ranges.some(({ count }) => count < slices)) fill(program, `${node.name}:fill`, buffer, elementBits(type, zero));
  const extents = [n, groups, perGroup, depth, h, w];
  const source = reshapeView(x, extents) ?? reshapeView(program.rowMajor(x), extents)!;
  const pixel: readonly (readonly Factor[])[] = [
    [{ extent: n, stride: slices * h * w * channels }],
    [{ extent: groups, stride: kernel * perGroup }],
    [{ extent: perGroup, stride: 1 }],
    [{ extent: slices, stride: h * w * channels }],
    [{ extent: h, stride: w * channels }],
    [{ extent: w, stride: channels }],
  ];
  for (const [tap, { first, count }] of ranges.entries()) {
    if (count < 1) continue;
    const box = [n, groups, perGroup, count, h, w];
    const from = part(source, [0, 0, 0, first * stride + starts[tap], 0, 0], box, [1, 1, 1, stride, 1, 1]);
    const target = { buffer, offset: tap * perGroup, dims: pixel };
    program.copy(`${node.name}:${tap}`, from, part(target, [0, 0, 0, first, 0, 0], box));
  }
  return stridedView(buffer, [n * slices, channels, h, w], channelsLastOrder(4));
}

/** Images [N * slices, C, H, W] as a volume [N, C, slices, H, W]. */
export function imagesAsVolume(images: View, batch: number, slices: number): View {
  const [[{ stride }], ...others] = images.dims;
  const [channels, ...spatial] = others;
  const dims = [[{ extent: batch, stride: slices * stride }], channels, [{ extent: slices, stride }], ...spatial];
  return { ...images, dims };
}

/** Weights [O, I, depth, H, W] as [O, depth * I, H, W]: the order of `tapsAsChannels`. */
export function tapWeights<T extends Int8Array | Float32Array>(
  weights: T,
  [outputs, inputs, depth, h, w]: readonly number[],
  Type: new (length: number) => T,
): T {
  const plane = h * w;
  const ordered = new Type(weights.length);
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++)
      for (let tap = 0; tap < depth; tap++) {
        const from = ((o * inputs + i) * depth + tap) * plane;
        ordered.set(weights.subarray(from, from + plane), ((o * depth + tap) * inputs + i) * plane);
      }
  return ordered;
}
