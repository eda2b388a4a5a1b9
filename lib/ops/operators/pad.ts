import { attribute } from '../../ir/attribute';
import type { Dim } from '../../ir/graph';
import { elementCount, type Tensor, toNumbers } from '../../ir/tensor';
import { hasInput, knownNumbers, normalizeAxes, unknownShape } from '../axes';
import { unmixAxis } from '../axis-mixture';
import { elementCost } from '../cost';
import { padding } from '../coupling-shapes';
import { emptyLike, toDense } from '../dense';
import { addDims, knownDims } from '../dims';
import { cut, dimsOf, int64s, reshapeTo } from '../gradients';
import type { Emitter, GradientContext, LowerContext, Operator } from '../operator';
import { padsPerAxis } from '../pad-extents';
import { EVERY_TYPE, INDEX_TYPES, oneOf, optional, problem, required, typedAs } from '../schema';
import { forEachIndex } from '../spatial';
import { rowMajorStrides } from '../strides';
import { attributeToInput } from '../upgrade-steps';

/** Most elements along an axis whose places are listed one by one. */
const MOST_PLACES = 2 ** 22;

/** Elements added before and after each axis: a constant, the nearest edge, a mirror image, or the other end. */
export const pad: Operator = {
  op: 'Pad',
  domain: '',
  since: 21,
  schema: {
    inputs: [
      required('data', EVERY_TYPE),
      required('pads', ['int64']),
      typedAs(optional('constant_value', EVERY_TYPE), 'data'),
      optional('axes', INDEX_TYPES),
    ],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { mode: oneOf('constant', 'reflect', 'edge', 'wrap') },
  },
  upgrade: (node, from, emit) => {
    if (from >= 11) return [node];
    return [attributeToInput(attributeToInput(node, emit, 'pads', 1), emit, 'value', 2)];
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    if (!shape) return [{ type, shape }];
    const axes = hasInput(context, 3) ? knownNumbers(context, 3) : shape.map((_, axis) => axis);
    const pads = context.partial(1);
    const fresh = unknownShape(node.outputs[0], shape.length);
    if (!axes || !pads) return [{ type, shape: fresh }];
    const positive = normalizeAxes(axes, shape.length);
    if (!positive) return problem(node, 'bad-axis', `axes [${axes}] do not fit shape [${shape}]`);
    if (pads.length !== 2 * axes.length)
      return problem(node, 'shape-mismatch', `expected ${2 * axes.length} pads, found ${pads.length}`);
    const result: Dim[] = [...shape];
    positive.forEach((axis, i) => {
      const [before, after] = [pads[i], pads[i + axes.length]];
      result[axis] =
        before === undefined || after === undefined ? fresh[axis] : addDims(shape[axis], addDims(before, after));
    });
    const repeats = attribute(node, 'mode', 'string', 'constant') !== 'constant';
    const cut = positive.some((axis, i) => {
      const [extent, before, after] = [shape[axis], pads[i], pads[i + axes.length]];
      if (typeof extent !== 'number' || typeof before !== 'number' || typeof after !== 'number') return false;
      const made = extent + before + after;
      return made < 0 || (repeats && made > 0 && extent + Math.min(before, 0) + Math.min(after, 0) < 1);
    });
    if (cut) return problem(node, 'shape-mismatch', `pads [${pads}] take more than shape [${shape}] has`);
    return [{ type, shape: result }];
  },
  evaluate: ([data, pads, value, axes], node) => {
    const mode = attribute(node, 'mode', 'string', 'constant');
    const { dims } = data!;
    const [before, after] = padsPerAxis(dims.length, Array.from(pads!.data), axes && Array.from(axes.data));
    const result = emptyLike(
      data!,
      dims.map((dim, axis) => dim + before[axis] + after[axis]),
    );
    const strides = rowMajorStrides(dims);
    const fill = value?.data[0] ?? 0;
    if (elementCount(dims) === 0) return [{ ...result, data: result.data.fill(fill) }];
    forEachIndex(result.dims, (index, flat) => {
      let offset = 0;
      for (let axis = 0; axis < dims.length; axis++) {
        const source = sourcePosition(index[axis], dims[axis], before[axis], after[axis], mode);
        if (source === undefined) {
          result.data[flat] = fill;
          return;
        }
        offset += source * strides[axis];
      }
      result.data[flat] = data!.data[offset];
    });
    return [result];
  },
  coupling: padding,
  gradient: padGradient,
  cost: elementCost,
  quantization: {
    inputs: [{ role: 'activation' }, { role: 'none' }, { role: 'none' }, { role: 'none' }],
    output: 'same',
  },
  lower: (context) => lowerPad(context),
};

/**
 * Constant padding is cut off again (a crop gets zeros back), and its value gets all gradients that fell on it. In the other
 * modes every element collects the gradients of its copies.
 */
function padGradient(context: GradientContext): ReturnType<NonNullable<Operator['gradient']>> {
  const { node, emit, outputGradients, wants } = context;
  const dy = outputGradients[0]!;
  const dims = dimsOf(emit, node.inputs[0]);
  const [pads, axes] = [1, 3].map((index) => (node.inputs[index] ? emit.constantOf(node.inputs[index]) : null));
  if (!pads || axes === undefined) return problem(node, 'missing-gradient', 'the pads are not constant');
  const [before, after] = padsPerAxis(dims.length, toNumbers(pads), axes ? toNumbers(axes) : undefined);
  const mode = attribute(node, 'mode', 'string', 'constant');
  if (mode !== 'constant') return [collectCopies(emit, dy, dims, before, mode)];
  const counts = [...before, ...after];
  const inner = counts.some((count) => count < 0)
    ? emit.node('Pad', [
        dy,
        int64s(
          emit,
          counts.map((count) => -count),
        ),
      ])
    : cut(emit, dy, before, dims);
  if (!wants(2)) return [inner];
  const total = (value: string) => emit.node('ReduceSum', [value], { keepdims: 0 });
  const outside = emit.node('Sub', [total(dy), total(inner)]);
  return [inner, undefined, reshapeTo(emit, outside, dimsOf(emit, node.inputs[2]))];
}

function collectCopies(
  emit: Emitter,
  dy: string,
  dims: readonly number[],
  before: readonly number[],
  mode: string,
): string {
  return dims.reduce((gradient, extent, axis) => {
    const to = dimsOf(emit, gradient)[axis];
    if (to === extent && before[axis] === 0) return gradient;
    const after = to - extent - before[axis];
    const shares = Array.from({ length: to }, (_, position) => [
      { index: sourcePosition(position, extent, before[axis], after, mode)!, weight: 1 },
    ]);
    return unmixAxis(emit, gradient, axis, shares, extent);
  }, dy);
}

function lowerPad(context: LowerContext): ReturnType<NonNullable<Operator['lower']>> {
  const { node, inputs } = context;
  const mode = attribute(node, 'mode', 'string', 'constant');
  const given = [1, 2, 3].map((index) => (node.inputs[index] ? context.constant(index) : null));
  const rank = inputs[0]?.shape?.length;
  const fronts = rank !== undefined && given[0] === undefined ? knownFronts(context, rank) : undefined;
  // Where it begins is enough to know where all of the result is known.
  if (fronts && mode === 'constant' && given[2] === null && knownDims(context.outputs[0]?.shape))
    return { kernel: 'pad', before: fronts, value: given[1] === undefined ? undefined : paddingOf(given[1]) };
  if (rank === undefined || given[0] === undefined || given[2] === undefined)
    return problem(node, 'not-lowered', 'the pads are not constant');
  const [pads, value, axes] = given.map((tensor) => tensor && Array.from(toDense(tensor, 'float32').data));
  if (axes && !normalizeAxes(axes, rank))
    return problem(node, 'bad-axis', `axes [${axes}] do not fit a rank of ${rank}`);
  const [before, after] = padsPerAxis(rank, pads!, axes ?? undefined);
  if (mode === 'constant') return { kernel: 'pad', before, value: value === undefined ? undefined : (value?.[0] ?? 0) };
  const dims = knownDims(inputs[0]!.shape);
  if (!dims) return problem(node, 'symbolic-shape', 'expected known shapes');
  const longest = Math.max(...dims.map((extent, axis) => extent + before[axis] + after[axis]));
  if (longest > MOST_PLACES)
    return problem(node, 'not-lowered', `it makes ${longest} elements along an axis, of at most ${MOST_PLACES}`);
  const places = dims.map((extent, axis) =>
    before[axis] === 0 && after[axis] === 0
      ? undefined
      : Array.from(
          { length: extent + before[axis] + after[axis] },
          (_, position) => sourcePosition(position, extent, before[axis], after[axis], mode)!,
        ),
  );
  return { kernel: 'select', places };
}

/** How many elements come before each axis, where that alone is known. */
function knownFronts(context: LowerContext, rank: number): readonly number[] | undefined {
  const fronts = context.partial?.(1)?.slice(0, rank);
  return fronts?.length === rank && fronts.every((front) => typeof front === 'number') ? fronts : undefined;
}

function paddingOf(tensor: Tensor | null): number {
  return tensor ? toDense(tensor, 'float32').data[0] : 0;
}

/**
 * Where an output position reads along one axis of `extent` elements; undefined: the constant. What pads below 0 cut off is gone
 * before the rest is repeated, as runtimes have it.
 */
function sourcePosition(
  output: number,
  extent: number,
  before: number,
  after: number,
  mode: string,
): number | undefined {
  const first = Math.max(0, -before);
  const kept = extent - first - Math.max(0, -after);
  const position = output - Math.max(0, before);
  if (position >= 0 && position < kept) return first + position;
  if (mode === 'edge') return first + (position < 0 ? 0 : kept - 1);
  if (mode === 'wrap') return first + modulo(position, kept);
  if (mode !== 'reflect') return undefined;
  const period = Math.max(1, 2 * (kept - 1));
  const folded = modulo(position, period);
  return first + (folded < kept ? folded : period - folded);
}

function modulo(a: number, b: number): number {
  return ((a % b) + b) % b;
}
