import type { Dim, Node } from '../../ir/graph';
import { elementCount, type Tensor, toNumbers } from '../../ir/tensor';
import { hasInput, knownNumbers, normalizeAxis, unknownShape } from '../axes';
import { elementCost } from '../cost';
import { slicing } from '../coupling-shapes';
import { toDense } from '../dense';
import { isNonNegative, knownDims, subDims } from '../dims';
import { dimsOf } from '../gradients';
import type { Dense, Inferred, LowerContext, Operator } from '../operator';
import { placeRanges } from '../range-gradient';
import { EVERY_TYPE, INDEX_TYPES, optional, problem, required } from '../schema';
import { rangesOf, resolveRange, type SliceRange } from '../slice-ranges';
import { offsetsOf, readStrided, rowMajorStrides } from '../strides';
import { attributeToInput } from '../upgrade-steps';

/** Part of a tensor: per axis from `start` (inclusive) to `end` (exclusive) by `step`; negative positions count from the end. */
export const slice: Operator = {
  op: 'Slice',
  domain: '',
  since: 13,
  schema: {
    inputs: [
      required('data', EVERY_TYPE),
      required('starts', INDEX_TYPES),
      required('ends', INDEX_TYPES),
      optional('axes', INDEX_TYPES),
      optional('steps', INDEX_TYPES),
    ],
    outputs: [required('output', EVERY_TYPE)],
    attributes: {},
  },
  upgrade: (node, from, emit) => {
    if (from >= 10) return [node];
    return [['starts', 'ends', 'axes'].reduce((n, name, i) => attributeToInput(n, emit, name, i + 1), node)];
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    if (!shape) return [{ type, shape }];
    const [starts, ends] = [context.partial(1), context.partial(2)];
    const axes = hasInput(context, 3) ? knownNumbers(context, 3) : (starts ?? ends)?.map((_, i) => i);
    const steps = hasInput(context, 4) ? context.partial(4) : axes?.map(() => 1);
    if (!axes) return [{ type, shape: unknownShape(node.outputs[0], shape.length) }];
    if ([starts, ends, steps].some((given) => given && given.length !== axes.length))
      return problem(node, 'shape-mismatch', 'starts, ends, axes and steps differ in length');
    const result = [...shape];
    const fresh = unknownShape(node.outputs[0], shape.length);
    const elements = shape.length === 1 ? context.partial(0) : undefined;
    let partial: readonly (Dim | undefined)[] | undefined;
    for (const [i, given] of axes.entries()) {
      const axis = normalizeAxis(given, shape.length);
      if (axis === undefined) return problem(node, 'bad-axis', `axis ${given} does not fit shape [${shape}]`);
      const [start, end, step, extent] = [starts?.[i], ends?.[i], steps?.[i], shape[axis]];
      if (step === 0) return problem(node, 'bad-step', 'a step of 0 never ends');
      const known = [start, end, step, extent].every((value) => typeof value === 'number');
      if (known) {
        const range = resolveRange(start as number, end as number, step as number, extent as number);
        result[axis] = range.count;
        partial =
          axes.length === 1
            ? slicedRows(context.partial(0), shape, axis, range)
            : elements && Array.from({ length: range.count }, (_, k) => elements[range.start + k * range.step]);
      } else result[axis] = symbolicCount(start, end, step, extent) ?? fresh[axis];
    }
    return [{ type, shape: result, partial: axes.length === 0 ? elements : partial }];
  },
  evaluate: (inputs) => {
    const [data] = inputs as readonly Dense[];
    const ranges = rangesOf(data.dims, inputs.slice(1));
    const strides = rowMajorStrides(data.dims);
    const start = ranges.reduce((sum, range, axis) => sum + range.start * strides[axis], 0);
    const dims = ranges.map((range) => range.count);
    return [
      readStrided(
        data,
        dims,
        ranges.map((range, axis) => range.step * strides[axis]),
        start,
      ),
    ];
  },
  coupling: slicing,
  gradient: ({ node, emit, outputGradients }) => {
    const dims = dimsOf(emit, node.inputs[0]);
    const ranges = constantRanges(node, dims, (index) => emit.constantOf(node.inputs[index]));
    if (!ranges) return problem(node, 'missing-gradient', 'the part that it takes is not constant');
    return [placeRanges(emit, outputGradients[0]!, dims, ranges)];
  },
  most: ({ node, inputs: [x], constant }) => {
    const dims = knownDims(x?.shape);
    const starts = node.inputs[1] ? constant(1) : undefined;
    const ranges = dims && constantRanges(node, dims, constant);
    // What counts from the end takes no more than all of what may be less.
    const fromFront = starts && toNumbers(starts).every((start) => start >= 0);
    return [ranges && fromFront ? ranges.map(({ count }) => count) : dims];
  },
  cost: elementCost,
  quantization: {
    inputs: [{ role: 'activation' }, { role: 'none' }, { role: 'none' }, { role: 'none' }, { role: 'none' }],
    output: 'same',
  },
  lower: (context) => lowerSlice(context),
};

/** Known elements of a tensor cut along one axis; nothing where its shape has symbols. */
function slicedRows(
  elements: Inferred['partial'],
  shape: readonly Dim[],
  axis: number,
  { start, step, count }: SliceRange,
): Inferred['partial'] {
  const dims = knownDims(shape);
  if (!dims || elements?.length !== elementCount(dims)) return undefined;
  const strides = rowMajorStrides(dims);
  const to = dims.map((extent, at) => (at === axis ? count : extent));
  const steps = strides.map((stride, at) => (at === axis ? stride * step : stride));
  return [...offsetsOf(to, steps, start * strides[axis])].map((offset) => elements[offset]);
}

function lowerSlice(context: LowerContext): ReturnType<NonNullable<Operator['lower']>> {
  const { node } = context;
  const dims = knownDims(context.inputs[0]?.shape);
  const ranges = dims && constantRanges(node, dims, context.constant);
  if (!ranges) return problem(node, 'not-lowered', 'the part to take is not constant');
  return {
    kernel: 'slice',
    starts: ranges.map((range) => range.start),
    steps: ranges.map((range) => range.step),
  };
}

/** Ranges of all axes when they are constant. */
function constantRanges(
  node: Node,
  dims: readonly number[],
  constant: (index: number) => Tensor | undefined,
): SliceRange[] | undefined {
  const given = [1, 2, 3, 4].map((index) => (node.inputs[index] ? constant(index) : null));
  if (given.includes(undefined)) return undefined;
  return rangesOf(
    dims,
    given.map((tensor) => (tensor ? toDense(tensor, 'float32') : undefined)),
  );
}

/** Count for the forms over symbols that cannot be clamped: `[a:]` and `[:b]` by step 1, where the extent is surely long enough. */
function symbolicCount(
  start: Dim | undefined,
  end: Dim | undefined,
  step: Dim | undefined,
  extent: Dim,
): Dim | undefined {
  if (step !== 1 || start === undefined || end === undefined) return undefined;
  const toEnd = end === extent || (typeof end === 'number' && end >= 2 ** 31 - 1);
  if (start === 0 && toEnd) return extent;
  if (toEnd) return typeof start === 'number' && start < 0 ? undefined : positive(subDims(extent, start));
  if (start === 0 && typeof end === 'string') return endWithin(end, extent);
  return undefined;
}

/** A difference is an extent only where it cannot be negative. */
function positive(dim: Dim): Dim | undefined {
  return isNonNegative(dim) ? dim : undefined;
}

function endWithin(end: string, extent: Dim): Dim | undefined {
  return isNonNegative(subDims(extent, end)) && isNonNegative(end) ? end : undefined;
}
