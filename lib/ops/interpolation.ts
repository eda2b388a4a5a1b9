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
}

/** For each output position along an axis: the source elements it mixes; positions outside repeat the edge. */
export function axisShares(axis: AxisResize): Share[][] {
  return Array.from({ length: axis.to }, (_, position) => {
    const at = sourceCoordinate(position, axis);
    if (axis.mode === 'nearest') return [{ index: clampIndex(nearestIndex(at, axis.nearest), axis.from), weight: 1 }];
    const base = Math.floor(at);
    const taps = axis.mode === 'linear' ? linear(at - base) : cubic(at - base, axis.cubicA);
    const first = base - (taps.length / 2 - 1);
    const shares = taps.map((weight, i) => ({ index: first + i, weight }));
    if (!axis.excludeOutside)
      return shares.map(({ index, weight }) => ({ index: clampIndex(index, axis.from), weight }));
    const inside = shares.filter(({ index }) => index >= 0 && index < axis.from);
    const total = inside.reduce((sum, { weight }) => sum + weight, 0);
    return inside.map(({ index, weight }) => ({ index, weight: weight / total }));
  });
}

/** In float32, as runtimes do: at a tie another precision takes another element. */
function sourceCoordinate(position: number, { from, to, scale, coordinates }: AxisResize): number {
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

/** Cubic convolution (Keys 1981) with coefficient `a`. */
function cubic(fraction: number, a: number): number[] {
  const near = (t: number) => ((a + 2) * t - (a + 3)) * t * t + 1;
  const far = (t: number) => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return [far(1 + fraction), near(fraction), near(1 - fraction), far(2 - fraction)];
}
