import type { Diagnostic } from '../core/diagnostic';
import type { ReduceOperation } from '../core/reduce-operation';
import type { ElementType } from '../ir/element-type';
import type { Dim } from '../ir/graph';
import { toNumbers } from '../ir/tensor';
import { hasInput, keepsAxes, knownNumbers, normalizeAxes, reducesNoAxis, unknownShape } from './axes';
import { inputCost } from './cost';
import { reducing } from './coupling-shapes';
import { emptyDense } from './dense';
import type { KernelCall } from './kernel-call';
import type { Dense, InferContext, Inferred, LowerContext, Operator, Precision } from './operator';
import { optional, problem, required } from './schema';
import { offsetsOf, rowMajorStrides } from './strides';
import { attributeToInput } from './upgrade-steps';

/** What sets one reduction apart from its family. */
export interface ReductionSpec {
  readonly op: string;
  readonly since: number;
  /** First opset in which the axes are an input instead of an attribute. */
  readonly axesInputSince: number;
  readonly types: readonly ElementType[];
  /** Value of the reduction of nothing. */
  readonly start: (type: ElementType) => number;
  readonly step: (sum: number, x: number) => number;
  /** Result from the accumulated value and the number of elements. */
  readonly finish?: (sum: number, count: number) => number;
  /** The reduction of known extents to one (ReduceProd of a shape). */
  readonly ofDims?: (dims: readonly Dim[]) => Dim | undefined;
}

/**
 * Operator that reduces some axes to one element each. Accumulates in float64 and rounds the result once, so that it is
 * the better of two answers when it is compared with a runtime that accumulates in float32.
 */
export function reduction(spec: ReductionSpec): Operator {
  const { op, since, types } = spec;
  return {
    op,
    domain: '',
    since,
    schema: {
      inputs: [required('data', types), optional('axes', ['int64'])],
      outputs: [required('reduced', types)],
      attributes: { keepdims: { kind: 'int' }, noop_with_empty_axes: { kind: 'int' } },
    },
    upgrade: (node, from, emit) => [from < spec.axesInputSince ? attributeToInput(node, emit, 'axes', 1) : node],
    infer: (context) => inferReduction(context, spec),
    evaluate: ([data, axesInput], node, precision) => {
      const axes = axesInput && axesInput.data.length > 0 ? Array.from(axesInput.data) : undefined;
      if (!axes && reducesNoAxis(node)) return [applyToEach(data!, spec, precision)];
      const rank = data!.dims.length;
      const reduced = axes ? normalizeAxes(axes, rank)! : data!.dims.map((_, axis) => axis);
      return [reduce(data!, reduced, keepsAxes(node), spec, precision)];
    },
    coupling: reducing,
    cost: inputCost,
  };
}

/** Shape after reducing `axes`: one element each, or no axis at all. */
export function reducedShape<T extends Dim>(shape: readonly T[], axes: readonly number[], keep: boolean): (T | 1)[] {
  if (keep) return shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  return shape.filter((_, axis) => !axes.includes(axis));
}

function inferReduction(context: InferContext, spec: ReductionSpec): readonly Inferred[] | ReturnType<typeof problem> {
  const { node, inputs } = context;
  const { type, shape } = inputs[0]!;
  const keep = keepsAxes(node);
  if (!shape) return [{ type, shape: undefined }];
  const given = hasInput(context, 1);
  const axes = given ? knownNumbers(context, 1) : [];
  if (axes === undefined) return [{ type, shape: keep ? unknownShape(node.outputs[0], shape.length) : undefined }];
  if (axes.length === 0 && reducesNoAxis(node)) return [{ type, shape }];
  const reduced = axes.length > 0 ? normalizeAxes(axes, shape.length) : shape.map((_, axis) => axis);
  if (!reduced) return problem(node, 'bad-axis', `axes [${axes}] do not fit shape [${shape}]`);
  const elements = shape.length === 1 && reduced.length === 1 ? context.partial(0) : undefined;
  const dim = elements?.every((e) => e !== undefined) ? spec.ofDims?.(elements as readonly Dim[]) : undefined;
  const partial = dim === undefined ? undefined : [dim];
  return [{ type, shape: reducedShape(shape, reduced, keep), partial }];
}

/**
 * What the engine does for a reduction: one operation on float32, and one on int8 for reductions that give one of their elements,
 * which then keep the grid of their input.
 */
export function engineReduction(float: string, integer?: string): Pick<Operator, 'lower' | 'quantization'> {
  return {
    lower: (context) => lowerReduction(context, float, integer),
    ...(integer && { quantization: { inputs: [{ role: 'activation' }, { role: 'none' }], output: 'same' } }),
  };
}

/** Reductions that leave one element alone as it is. */
const KEEPS_ONE: readonly ReduceOperation[] = ['sum', 'mean', 'log_sum_exp', 'product'];

/** The same for reductions that accumulate; a mean of int8 is exact. */
export function engineAccumulation(operation: ReduceOperation): Pick<Operator, 'lower' | 'quantization'> {
  return {
    lower: (context) => {
      const axes = reducedAxes(context);
      if ('kind' in axes) return axes;
      if (KEEPS_ONE.includes(operation) && areSingle(context, axes)) return { kernel: 'reshape' };
      return { kernel: 'accumulate', axes, operation };
    },
    ...(operation === 'mean' && {
      quantization: { inputs: [{ role: 'activation' }, { role: 'none' }], output: 'own' },
    }),
  };
}

function lowerReduction(context: LowerContext, float: string, integer?: string): KernelCall | Diagnostic {
  const axes = reducedAxes(context);
  if ('kind' in axes) return axes;
  if (areSingle(context, axes)) return { kernel: 'reshape' };
  return { kernel: 'reduce', axes, float, ...(integer && { integer }) };
}

/** Whether there is nothing to reduce: no axes, or axes of one element each. */
function areSingle({ inputs: [x] }: LowerContext, axes: readonly number[]): boolean {
  return axes.every((axis) => x?.shape?.[axis] === 1);
}

/** Axes that a node reduces, in ascending order. */
function reducedAxes({ node, inputs: [x], constant }: LowerContext): readonly number[] | Diagnostic {
  const shape = x?.shape;
  const isGiven = (node.inputs[1] ?? '') !== '';
  const given = isGiven ? constant(1) : undefined;
  if (shape === undefined || (isGiven && given === undefined))
    return problem(node, 'not-lowered', 'expected constant axes and a known rank');
  const listed = given === undefined ? [] : toNumbers(given);
  if (listed.length === 0 && reducesNoAxis(node)) return [];
  const axes = listed.length === 0 ? shape.map((_, axis) => axis) : normalizeAxes(listed, shape.length);
  if (axes === undefined) return problem(node, 'bad-axis', `axes [${listed}] do not fit shape [${shape}]`);
  return axes.sort((a, b) => a - b);
}

function reduce(data: Dense, axes: readonly number[], keep: boolean, spec: ReductionSpec, precision: Precision): Dense {
  const strides = rowMajorStrides(data.dims);
  const kept = data.dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const pick = (list: readonly number[], from: readonly number[]) => list.map((axis) => from[axis]);
  const bases = offsetsOf(pick(kept, data.dims), pick(kept, strides));
  const inner = offsetsOf(pick(axes, data.dims), pick(axes, strides));
  const result = emptyDense(data.type, reducedShape(data.dims, axes, keep), precision);
  bases.forEach((base, i) => {
    let sum = spec.start(data.type);
    for (const offset of inner) sum = spec.step(sum, data.data[base + offset]);
    result.data[i] = spec.finish ? spec.finish(sum, inner.length) : sum;
  });
  return result;
}

/** With no axes to reduce, each element is a reduction of itself alone. */
function applyToEach(data: Dense, spec: ReductionSpec, precision: Precision): Dense {
  return reduce({ ...data, dims: [...data.dims, 1] }, [data.dims.length], false, spec, precision);
}
