import type { Buffer } from './step';

/** One factor of a logical dimension: its extent and its distance in memory, in elements. */
export interface Factor {
  readonly extent: number;
  readonly stride: number;
}

/**
 * How a logical tensor lies in a buffer. A dimension is a list of factors, outermost first, so that a flattened
 * channels-last image (one logical dimension over three strides) is still a view and needs no copy.
 */
export interface View {
  readonly buffer: Buffer;
  /** First element, in elements from the start of the buffer. */
  readonly offset: number;
  readonly dims: readonly (readonly Factor[])[];
}

/** Logical extents of a view. */
export function extentsOf(view: View): number[] {
  return view.dims.map((factors) => factors.reduce((product, factor) => product * factor.extent, 1));
}

/** Number of elements of a view. */
export function sizeOf(view: View): number {
  return extentsOf(view).reduce((product, extent) => product * extent, 1);
}

/** Axes 0, 1, 2, ...: row-major memory order. */
export function naturalOrder(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** Row-major view of a whole buffer. */
export function plainView(buffer: Buffer, extents: readonly number[]): View {
  return stridedView(buffer, extents, naturalOrder(extents.length));
}

/**
 * View of a whole buffer whose memory runs over the logical axes in `order`, outermost first:
 * `[0, 2, 3, 1]` is a channels-last image.
 */
export function stridedView(buffer: Buffer, extents: readonly number[], order: readonly number[]): View {
  return {
    buffer,
    offset: 0,
    dims: stridesOf(extents, order).map((stride, axis) => [{ extent: extents[axis], stride }]),
  };
}

/** Element strides per logical axis when memory runs over the axes in `order`. */
export function stridesOf(extents: readonly number[], order: readonly number[]): number[] {
  const strides = new Array<number>(extents.length).fill(0);
  let stride = 1;
  for (const axis of [...order].reverse()) {
    strides[axis] = stride;
    stride *= extents[axis];
  }
  return strides;
}

/** Memory order of images: batch, spatial axes, channels. Rank 2 and below stay row-major. */
export function channelsLastOrder(rank: number): number[] {
  const axes = naturalOrder(rank);
  return rank < 3 ? axes : [0, ...axes.slice(2), 1];
}

/** The view with its logical axes permuted; costs nothing. */
export function transposeView(view: View, permutation: readonly number[]): View {
  return { ...view, dims: permutation.map((axis) => view.dims[axis]) };
}

/**
 * The view with other extents over the same elements in the same logical order, or undefined when a factor
 * would have to be cut at a place that its extent does not divide.
 */
export function reshapeView(view: View, extents: readonly number[]): View | undefined {
  const source = mergeFactors(view.dims.flat());
  const dims: Factor[][] = [];
  let index = 0;
  for (const extent of extents) {
    const factors: Factor[] = [];
    let wanted = extent;
    while (wanted > 1) {
      const factor = source[index];
      if (factor === undefined) return undefined;
      if (wanted % factor.extent === 0) {
        factors.push(factor);
        wanted /= factor.extent;
        index++;
      } else if (factor.extent % wanted === 0) {
        const inner = factor.extent / wanted;
        factors.push({ extent: wanted, stride: factor.stride * inner });
        source[index] = { extent: inner, stride: factor.stride };
        wanted = 1;
      } else return undefined;
    }
    dims.push(factors.length > 0 ? factors : [{ extent: 1, stride: 0 }]);
  }
  return index === source.length ? { ...view, dims } : undefined;
}

/** The view repeated to `extents` by the rules of ONNX broadcasting (axes match from the last one on), or undefined. */
export function broadcastView(view: View, extents: readonly number[]): View | undefined {
  const own = extentsOf(view);
  const missing = extents.length - own.length;
  if (missing < 0 || !own.every((extent, axis) => extent === 1 || extent === extents[axis + missing])) return undefined;
  const dims = extents.map((extent, axis) =>
    axis < missing || own[axis - missing] !== extent ? [{ extent, stride: 0 }] : view.dims[axis - missing],
  );
  return { ...view, dims };
}

/**
 * Every `steps[axis]`-th element from `starts[axis]` on, `extents[axis]` of them; negative steps walk backwards.
 * Undefined when a cut axis is spread over several factors.
 */
export function sliceView(
  view: View,
  starts: readonly number[],
  steps: readonly number[],
  extents: readonly number[],
): View | undefined {
  let offset = view.offset;
  const full = extentsOf(view);
  const dims: (readonly Factor[])[] = [];
  for (const [axis, factors] of view.dims.entries()) {
    if (starts[axis] === 0 && steps[axis] === 1 && extents[axis] === full[axis]) {
      dims.push(factors);
      continue;
    }
    const merged = mergeFactors(factors);
    if (merged.length > 1) return undefined;
    const stride = merged[0]?.stride ?? 0;
    offset += starts[axis] * stride;
    dims.push([{ extent: extents[axis], stride: stride * steps[axis] }]);
  }
  return { ...view, offset, dims };
}

/**
 * The elements of one axis at `places`, in this order; undefined where the places are no nested steps, or the axis is spread
 * over several factors. An element that comes again and again has a factor of stride 0.
 */
export function selectView(view: View, axis: number, places: readonly number[]): View | undefined {
  const merged = mergeFactors(view.dims[axis]);
  const factors = nestedSteps(places);
  if (merged.length > 1 || factors === undefined) return undefined;
  const stride = merged[0]?.stride ?? 0;
  const dims = view.dims.map((known, other) =>
    other === axis ? factors.map((factor) => ({ extent: factor.extent, stride: factor.stride * stride })) : known,
  );
  return { ...view, offset: view.offset + places[0] * stride, dims };
}

/**
 * Factors, outermost first, that walk through `places` (less the first of them): `0 0 1 1 2 2` are 3 steps of 1 times 2
 * steps of 0. Undefined where they are no nested steps.
 */
export function nestedSteps(places: readonly number[]): readonly Factor[] | undefined {
  const factors: Factor[] = [];
  for (let rest = places; rest.length > 1; ) {
    const run = arithmeticRun(rest, 0);
    if (rest.length % run !== 0) return undefined;
    const stride = rest[1] - rest[0];
    for (let i = 0; i < rest.length; i++) if (rest[i] !== rest[i - (i % run)] + (i % run) * stride) return undefined;
    factors.unshift({ extent: run, stride });
    rest = rest.filter((_, i) => i % run === 0);
  }
  return factors.length > 0 ? factors : [{ extent: 1, stride: 0 }];
}

/** How many places from `start` on are equally far apart. */
export function arithmeticRun(places: readonly number[], start: number): number {
  let end = Math.min(start + 2, places.length);
  while (end < places.length && places[end] - places[end - 1] === places[start + 1] - places[start]) end++;
  return end - start;
}

/** Factors without extents of 1, neighbours joined where memory runs on. */
export function mergeFactors(factors: readonly Factor[]): Factor[] {
  const merged: Factor[] = [];
  for (const factor of factors) {
    if (factor.extent === 1) continue;
    const last = merged.at(-1);
    if (last !== undefined && last.stride === factor.extent * factor.stride)
      merged[merged.length - 1] = { extent: last.extent * factor.extent, stride: factor.stride };
    else merged.push(factor);
  }
  return merged;
}

/** A run of elements that both sides of a copy walk with one stride each. */
interface Run {
  readonly extent: number;
  readonly source: number;
  readonly target: number;
}

/**
 * Runs that walk two views of the same extents together, as few as can be but at least one; undefined when factors of the
 * two would have to be cut at places that do not divide each other.
 */
export function alignFactors(source: View, target: View): Run[] | undefined {
  const runs: Run[] = [];
  for (const [axis, factors] of source.dims.entries()) {
    const pieces = alignAxis(mergeFactors(factors), mergeFactors(target.dims[axis]));
    if (pieces === undefined) return undefined;
    for (const piece of pieces) {
      const last = runs.at(-1);
      if (last?.source === piece.extent * piece.source && last.target === piece.extent * piece.target)
        runs[runs.length - 1] = { ...piece, extent: piece.extent * last.extent };
      else runs.push(piece);
    }
  }
  return runs.length > 0 ? runs : [{ extent: 1, source: 1, target: 1 }];
}

function alignAxis(source: readonly Factor[], target: readonly Factor[]): Run[] | undefined {
  const pieces: Run[] = [];
  const [a, b] = [[...source], [...target]];
  for (let left = a.pop(), right = b.pop(); left !== undefined && right !== undefined; ) {
    const extent = Math.min(left.extent, right.extent);
    if (left.extent % extent !== 0 || right.extent % extent !== 0) return undefined;
    pieces.unshift({ extent, source: left.stride, target: right.stride });
    left = left.extent === extent ? a.pop() : { extent: left.extent / extent, stride: left.stride * extent };
    right = right.extent === extent ? b.pop() : { extent: right.extent / extent, stride: right.stride * extent };
  }
  return pieces;
}

/** Whether the view covers its whole buffer row-major with `extents`. */
export function isPlain(view: View, extents: readonly number[]): boolean {
  return isDense(view) && layoutKey(view) === layoutKey(plainView(view.buffer, extents));
}

/** Whether the view covers its whole buffer, each element once. */
export function isDense(view: View): boolean {
  if (view.offset !== 0 || sizeOf(view) !== view.buffer.count) return false;
  let expected = 1;
  for (const factor of memoryFactors(view).reverse()) {
    if (factor.stride !== expected) return false;
    expected *= factor.extent;
  }
  return true;
}

/** The view's factors in memory order, outermost first. */
export function memoryFactors(view: View): Factor[] {
  return view.dims
    .flat()
    .filter((factor) => factor.extent !== 1)
    .sort((a, b) => Math.abs(b.stride) - Math.abs(a.stride));
}

/** Whether two views of the same extents place every element at the same distance from the start. */
export function sameLayout(a: View, b: View): boolean {
  return a.offset === b.offset && layoutKey(a) === layoutKey(b);
}

/** Text that is equal for views with the same layout (extents of 1 and joined factors do not count). */
export function layoutKey(view: View): string {
  return view.dims
    .map((factors) =>
      mergeFactors(factors)
        .map((f) => `${f.extent}:${f.stride}`)
        .join('.'),
    )
    .join(',');
}

/** The layout of `like` over another dense buffer of the same size. */
export function moveView(like: View, buffer: Buffer): View {
  return { ...like, buffer };
}

/** Distance in memory (elements, without the view's offset) of every element, in logical row-major order. */
export function memoryOffsets(dims: readonly (readonly Factor[])[]): Float64Array {
  const factors = dims.flat();
  let offsets = new Float64Array(1);
  for (const { extent, stride } of factors) {
    const next = new Float64Array(offsets.length * extent);
    for (let i = 0; i < offsets.length; i++)
      for (let j = 0; j < extent; j++) next[i * extent + j] = offsets[i] + j * stride;
    offsets = next;
  }
  return offsets;
}
