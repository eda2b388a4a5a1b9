/** One source element and its share of an output element. */
export interface Share {
  readonly index: number;
  readonly weight: number;
}

/** How one axis is resized (ONNX Resize-19; attribute names of the operator). */
export interface AxisResize {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
  /** Whether kernels widen where the axis shrinks, so that every element counts. */
  readonly antialias: boolean;
  /** The part of the axis that is resized (tf_crop_and_resize), in extents of it. */
  readonly region?: { readonly start: number; readonly end: number } | undefined;
}

/**
 * For each output position along an axis: the source elements it mixes; positions outside repeat the edge, those outside a
 * region that reaches beyond the axis mix none.
 */
export function axisShares(axis: AxisResize): Share[][] {
  return Array.from({ length: axis.to }, (_, position) => {
    const at = sourceCoordinate(position, axis);
    if (axis.region && (at < 0 || at > axis.from - 1)) return [];
    if (axis.mode === 'nearest') return [{ index: clampIndex(nearestIndex(at, axis.nearest), axis.from), weight: 1 }];
    const base = Math.floor(at);
    const taps = tapsOf(at - base, axis);
    const first = base - (taps.length / 2 - 1);
    const shares = taps.map((weight, i) => ({ index: first + i, weight }));
    if (!axis.excludeOutside)
      return shares.map(({ index, weight }) => ({ index: clampIndex(index, axis.from), weight }));
    const inside = shares.filter(({ index }) => index >= 0 && index < axis.from);
    const total = inside.reduce((sum, { weight }) => sum + weight, 0);
    return inside.map(({ index, weight }) => ({ index, weight: weight / total }));
  });
}

/** Weights of the elements around a fraction of a step, as many before it as behind it. */
function tapsOf(fraction: number, { mode, cubicA, antialias, scale }: AxisResize): number[] {
  if (!antialias || scale >= 1) return mode === 'linear' ? linear(fraction) : cubic(fraction, cubicA);
  // The kernel is stretched over as many elements as one of the result stands for.
  const reach = Math.ceil((mode === 'linear' ? 1 : 2) / scale);
  const kernel = mode === 'linear' ? (t: number) => Math.max(0, 1 - t) : (t: number) => cubicKernel(t, cubicA);
  const taps = Array.from({ length: 2 * reach }, (_, i) => kernel(Math.abs(i - (reach - 1) - fraction) * scale));
  const total = taps.reduce((sum, weight) => sum + weight, 0);
  return taps.map((weight) => weight / total);
}

/** In float32, as runtimes do: at a tie another precision takes another element. */
function sourceCoordinate(position: number, { from, to, scale, coordinates, region }: AxisResize): number {
  const { fround } = Math;
  const centred = fround(fround(position + 0.5) / scale);
  switch (coordinates) {
    case 'asymmetric':
      return fround(position / scale);
    case 'align_corners':
      return to === 1 ? 0 : fround(fround(position * (from - 1)) / (to - 1));
    case 'pytorch_half_pixel':
      return to > 1 ? fround(centred - 0.5) : 0;
    case 'half_pixel_symmetric': {
      // The rounded-off part of the output is shared by both borders.
      const share = fround(to / fround(from * scale));
      const offset = fround(fround(from / 2) * fround(1 - share));
      return fround(fround(offset + centred) - 0.5);
    }
    case 'tf_crop_and_resize': {
      const { start, end } = region!;
      if (to === 1) return fround(fround(0.5 * fround(start + end)) * (from - 1));
      const step = fround(fround(fround(end - start) * (from - 1)) / (to - 1));
      return fround(fround(start * (from - 1)) + fround(position * step));
    }
    case 'tf_half_pixel_for_nn':
      return centred;
    default:
      return fround(centred - 0.5);
  }
}

function nearestIndex(at: number, rule: string): number {
  switch (rule) {
    case 'floor':
      return Math.floor(at);
    case 'ceil':
      return Math.ceil(at);
    case 'round_prefer_ceil':
      return Math.floor(at + 0.5);
    default:
      return Math.ceil(at - 0.5);
  }
}

function clampIndex(index: number, extent: number): number {
  return Math.max(0, Math.min(extent - 1, index));
}

function linear(fraction: number): number[] {
  return [1 - fraction, fraction];
}

function cubic(fraction: number, a: number): number[] {
  return [1 + fraction, fraction, 1 - fraction, 2 - fraction].map((distance) => cubicKernel(distance, a));
}

/** Cubic convolution (Keys 1981) with coefficient `a`, at a distance. */
function cubicKernel(t: number, a: number): number {
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}
