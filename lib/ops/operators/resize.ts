import { attribute } from '../../ir/attribute';
import type { Dim, Node } from '../../ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../ir/tensor';
import { hasInput, knownNumbers, normalizeAxes, unknownShape } from '../axes';
import { unmixAxis } from '../axis-mixture';
import { elementCost } from '../cost';
import { resizing } from '../coupling-shapes';
import { emptyLike, toDense } from '../dense';
import { knownDims } from '../dims';
import { dimsOf } from '../gradients';
import { axisShares, type Share } from '../interpolation';
import type { Dense, GradientContext, InferContext, LowerContext, Operator, UpgradeEmitter } from '../operator';
import { sumTiles } from '../pooling-gradient';
import { EVERY_TYPE, FLOATS, oneOf, optional, problem, required } from '../schema';
import { forEachIndex } from '../spatial';
import { withAttributes, withInput } from '../upgrade-steps';

/** Extent and scale of one resized axis. */
interface Target {
  readonly extent: number;
  readonly scale: number;
  /** The part of the axis that is resized, where it is not all of it. */
  readonly region?: { readonly start: number; readonly end: number } | undefined;
}

/** The input interpolated to other extents (nearest, linear or cubic), given by `scales` or by `sizes`. */
export const resize: Operator = {
  op: 'Resize',
  domain: '',
  since: 19,
  schema: {
    inputs: [
      required('X', EVERY_TYPE),
      optional('roi', FLOATS),
      optional('scales', ['float32']),
      optional('sizes', ['int64']),
    ],
    outputs: [required('Y', EVERY_TYPE)],
    attributes: {
      antialias: { kind: 'int' },
      axes: { kind: 'ints' },
      coordinate_transformation_mode: oneOf(
        'half_pixel',
        'half_pixel_symmetric',
        'pytorch_half_pixel',
        'align_corners',
        'asymmetric',
        'tf_half_pixel_for_nn',
        'tf_crop_and_resize',
      ),
      cubic_coeff_a: { kind: 'float' },
      exclude_outside: { kind: 'int' },
      extrapolation_value: { kind: 'float' },
      keep_aspect_ratio_policy: oneOf('stretch', 'not_larger', 'not_smaller'),
      mode: oneOf('nearest', 'linear', 'cubic'),
      nearest_mode: oneOf('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'),
    },
  },
  upgrade: (node, from, emit) => (from < 11 ? fromResize10(node, emit) : [node]),
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    if (!shape) return [{ type, shape }];
    const axes = normalizeAxes(attribute(node, 'axes', 'ints', allAxes(shape)), shape.length);
    if (!axes) return problem(node, 'bad-axis', `axes do not fit shape [${shape}]`);
    // Empty scales stand for none.
    if ((!hasInput(context, 2) || inputs[2]?.shape?.[0] === 0) && !hasInput(context, 3))
      return problem(node, 'missing-input', 'expected scales or sizes, found neither');
    const scales = scalesOf(context);
    const sizes = hasInput(context, 3) ? knownNumbers(context, 3) : undefined;
    const given = scales ?? sizes;
    if (!given) return [{ type, shape: unknownShape(node.outputs[0], shape.length) }];
    if (given.length !== axes.length)
      return problem(node, 'shape-mismatch', `expected ${axes.length} scales or sizes, found ${given.length}`);
    const result: Dim[] = [...shape];
    const fresh = unknownShape(node.outputs[0], shape.length);
    const keepsRatio = attribute(node, 'keep_aspect_ratio_policy', 'string', 'stretch') !== 'stretch';
    const region = crops(node) && hasInput(context, 1) ? context.constant(1) : undefined;
    // How much of an axis is resized decides extents that are given by scales.
    const isOpen = scales && crops(node) && !region;
    const known = axes.every((axis) => typeof shape[axis] === 'number') && !isOpen;
    const targets =
      known &&
      targetsOf(
        node,
        axes.map((axis) => shape[axis] as number),
        scales,
        sizes,
        region && toNumbers(region),
      );
    axes.forEach((axis, i) => {
      const dim = shape[axis];
      if (targets) result[axis] = targets[i].extent;
      else if (isOpen) result[axis] = fresh[axis];
      else if (scales)
        result[axis] = scales[i] === 1 ? dim : typeof dim === 'number' ? scaled(dim, scales[i]) : fresh[axis];
      else result[axis] = sizes && !keepsRatio ? sizes[i] : fresh[axis];
    });
    return [{ type, shape: result }];
  },
  evaluate: ([x, region, scales, sizes], node) => {
    const axes = normalizeAxes(attribute(node, 'axes', 'ints', allAxes(x!.dims)), x!.dims.length)!;
    const byScale = scales && scales.data.length > 0 ? Array.from(scales.data) : undefined;
    const targets = targetsOf(
      node,
      axes.map((axis) => x!.dims[axis]),
      byScale,
      sizes && Array.from(sizes.data),
      region && Array.from(region.data),
    );
    const shares = axes.map((axis, i) => sharesOf(node, x!.dims[axis], targets[i]));
    // Accumulates in float64 over all axes and rounds once.
    let wide: Dense = { ...x!, data: Float64Array.from(x!.data) };
    axes.forEach((axis, i) => {
      wide = mixAxis(wide, axis, shares[i]);
    });
    const y = emptyLike(x!, wide.dims);
    y.data.set(wide.data);
    const outside = attribute(node, 'extrapolation_value', 'float', 0);
    if (crops(node))
      forEachIndex(y.dims, (index, flat) => {
        if (axes.some((axis, i) => shares[i][index[axis]].length === 0)) y.data[flat] = outside;
      });
    return [y];
  },
  coupling: resizing,
  gradient: resizeGradient,
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 4),
  quantization: (node) => ({
    inputs: [{ role: 'activation' }, { role: 'none' }, { role: 'none' }, { role: 'none' }],
    output: isNearest(node) ? 'same' : 'own',
  }),
  lower: lowerResize,
};

function isNearest(node: Node): boolean {
  return attribute(node, 'mode', 'string', 'nearest') === 'nearest';
}

function lowerResize({ node, inputs: [x], constant }: LowerContext): ReturnType<NonNullable<Operator['lower']>> {
  const dims = knownDims(x?.shape);
  if (!dims) return problem(node, 'symbolic-shape', 'expected known shapes');
  const given = [2, 3, 1].map((index) => (node.inputs[index] && (index > 1 || crops(node)) ? constant(index) : null));
  if (given.includes(undefined) || !given.slice(0, 2).some((tensor) => tensor))
    return problem(node, 'not-lowered', 'the extents that it makes are not constant');
  const { axes, targets } = resized(node, dims, given);
  const shares = dims.map((extent, axis) => {
    const target = targets[axes.indexOf(axis)];
    return target && !(target.extent === extent && target.scale === 1) ? sharesOf(node, extent, target) : undefined;
  });
  const reachesOut = shares.some((list) => list?.some((mixed) => mixed.length === 0));
  const outside = attribute(node, 'extrapolation_value', 'float', 0);
  if (!isNearest(node) || reachesOut)
    return { kernel: 'interpolate', shares, ...(reachesOut && outside !== 0 && { outside }) };
  return { kernel: 'select', places: shares.map((list) => list?.map(([{ index }]) => index)) };
}

/** The axes that a node resizes, and to what; from the constants `scales`, `sizes` and the region (null where left out). */
function resized(node: Node, dims: readonly number[], [scales, sizes, region]: readonly (Tensor | null | undefined)[]) {
  const axes = normalizeAxes(attribute(node, 'axes', 'ints', allAxes(dims)), dims.length)!;
  const targets = targetsOf(
    node,
    axes.map((axis) => dims[axis]),
    scales && elementCount(scales.dims) > 0 ? toNumbers(scales) : undefined,
    sizes ? toNumbers(sizes) : undefined,
    region ? toNumbers(region) : undefined,
  );
  return { axes, targets };
}

/**
 * Every element collects the gradients of the positions that it was mixed into. Whole repetition of the nearest element is
 * summed up tile by tile; anything else is one product with a constant matrix per axis.
 */
function resizeGradient({
  node,
  emit,
  outputGradients,
}: GradientContext): ReturnType<NonNullable<Operator['gradient']>> {
  const dy = outputGradients[0]!;
  const dims = dimsOf(emit, node.inputs[0]);
  const given = [2, 3].map((index) => (node.inputs[index] ? emit.constantOf(node.inputs[index]) : null));
  if (given.includes(undefined)) return problem(node, 'missing-gradient', 'the extents that it makes are not constant');
  if (crops(node)) return problem(node, 'missing-gradient', 'a region of the input has no gradient here');
  const { axes, targets } = resized(node, dims, given);
  const shares = axes.map((axis, i) => sharesOf(node, dims[axis], targets[i]));
  const times = dims.map((extent, axis) => (axes.includes(axis) ? repetition(shares[axes.indexOf(axis)], extent) : 1));
  if (dims.length > 2 && times[0] === 1 && times[1] === 1 && times.every((count) => count !== undefined))
    return [sumTiles(emit, dy, { output: dims.slice(2), kernel: times.slice(2) as number[] })];
  const unmix = (gradient: string, axis: number, i: number) =>
    times[axis] === 1 ? gradient : unmixAxis(emit, gradient, axis, shares[i], dims[axis]);
  return [axes.reduce(unmix, dy)];
}

/** How often each of `extent` elements is repeated, when that is all that happens. */
function repetition(shares: readonly (readonly Share[])[], extent: number): number | undefined {
  const times = shares.length / extent;
  const repeats = shares.every(
    ([first, second], position) =>
      first.index === Math.floor(position / times) && first.weight === 1 && (second?.weight ?? 0) === 0,
  );
  return Number.isInteger(times) && repeats ? times : undefined;
}

/** Upsample, and Resize-10 where it does not shrink: positions by division, the nearest element below. */
export function fromUpsample(node: Node, nearest: 'floor' | 'ceil' = 'floor'): Node {
  const shifted = withInput({ ...node, op: 'Resize', inputs: [node.inputs[0]] }, 2, node.inputs[1] ?? '');
  return withAttributes(
    shifted,
    new Map([
      ['coordinate_transformation_mode', { kind: 'string', value: 'asymmetric' }],
      ['nearest_mode', { kind: 'string', value: nearest }],
    ]),
  );
}

/**
 * Resize-10 takes the nearest element below along axes that grow and, as runtimes have it, the one above along axes that
 * shrink: one Resize for each kind, where the scales tell that both or that one is needed.
 */
function fromResize10(node: Node, emit: UpgradeEmitter): Node[] {
  if (attribute(node, 'mode', 'string', 'nearest') !== 'nearest') return [fromUpsample(node)];
  const tensor = emit.constantOf(node.inputs[1]);
  const scales = tensor && toNumbers(tensor);
  if (scales?.every((scale) => scale >= 1)) return [fromUpsample(node)];
  if (scales?.every((scale) => scale <= 1)) return [fromUpsample(node, 'ceil')];
  const grown = emit.fresh(`${node.outputs[0]}_grown`);
  const resizes = (grow: string, shrink: string) => [
    fromUpsample({ ...node, name: grown, inputs: [node.inputs[0], grow], outputs: [grown] }),
    fromUpsample({ ...node, inputs: [grown, shrink] }, 'ceil'),
  ];
  if (scales) {
    const part = (one: typeof Math.max) =>
      emit.constant(
        tensorFrom(
          'float32',
          tensor!.dims,
          scales.map((scale) => one(scale, 1)),
        ),
      );
    return resizes(part(Math.max), part(Math.min));
  }
  const one = emit.constant(tensorFrom('float32', [], [1]));
  const part = (op: string): Node => {
    const output = emit.fresh(`${node.outputs[0]}_${op.toLowerCase()}`);
    return { name: output, op, domain: '', inputs: [node.inputs[1], one], outputs: [output], attributes: new Map() };
  };
  const [max, min] = [part('Max'), part('Min')];
  return [max, min, ...resizes(max.outputs[0], min.outputs[0])];
}

function crops(node: Node): boolean {
  return attribute(node, 'coordinate_transformation_mode', 'string', 'half_pixel') === 'tf_crop_and_resize';
}

function allAxes(shape: readonly Dim[]): number[] {
  return shape.map((_, axis) => axis);
}

function scalesOf(context: InferContext): readonly number[] | undefined {
  const tensor = hasInput(context, 2) ? context.constant(2) : undefined;
  const scales = tensor && Array.from(toDense(tensor, 'float32').data);
  return scales?.length ? scales : undefined;
}

function targetsOf(
  node: Node,
  extents: readonly number[],
  scales: readonly number[] | undefined,
  sizes: readonly number[] | undefined,
  region: readonly number[] | undefined,
): Target[] {
  const regionOf = (i: number) => {
    const [start, end] = region?.length ? [region[i], region[i + extents.length]] : [0, 1];
    return crops(node) ? { start, end } : undefined;
  };
  return sizesOf(node, extents, scales, sizes, regionOf).map((target, i) => ({ ...target, region: regionOf(i) }));
}

function sizesOf(
  node: Node,
  extents: readonly number[],
  scales: readonly number[] | undefined,
  sizes: readonly number[] | undefined,
  regionOf: (i: number) => Target['region'],
): Target[] {
  if (scales && crops(node))
    return extents.map((extent, i) => {
      const { start, end } = regionOf(i)!;
      const part = Math.fround(extent * Math.fround(end - start));
      return { extent: scaled(part, scales[i]), scale: scales[i] };
    });
  if (scales) return extents.map((extent, i) => ({ extent: scaled(extent, scales[i]), scale: scales[i] }));
  const policy = attribute(node, 'keep_aspect_ratio_policy', 'string', 'stretch');
  const ratios = extents.map((extent, i) => Math.fround(sizes![i] / extent));
  if (policy === 'stretch') return ratios.map((scale, i) => ({ extent: sizes![i], scale }));
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return extents.map((extent) => ({ extent: Math.floor(Math.fround(extent * scale) + 0.5), scale }));
}

/** An extent times a float32 scale, in float32 as runtimes do: 10 * 0.7 is 7, though float32(0.7) is below 0.7. */
function scaled(extent: number, scale: number): number {
  return Math.floor(Math.fround(extent * scale));
}

function sharesOf(node: Node, from: number, { extent, scale, region }: Target): Share[][] {
  return axisShares({
    from,
    to: extent,
    scale,
    mode: attribute(node, 'mode', 'string', 'nearest') as 'nearest',
    coordinates: attribute(node, 'coordinate_transformation_mode', 'string', 'half_pixel'),
    nearest: attribute(node, 'nearest_mode', 'string', 'round_prefer_floor'),
    cubicA: attribute(node, 'cubic_coeff_a', 'float', -0.75),
    excludeOutside: attribute(node, 'exclude_outside', 'int', 0) !== 0,
    antialias: attribute(node, 'antialias', 'int', 0) !== 0,
    region,
  });
}

/** Replaces each line along `axis` by mixtures of its elements. */
function mixAxis(x: Dense, axis: number, shares: readonly (readonly Share[])[]): Dense {
  const inner = elementCount(x.dims.slice(axis + 1));
  const outer = elementCount(x.dims.slice(0, axis));
  const from = x.dims[axis];
  const y = emptyLike(
    x,
    x.dims.map((dim, at) => (at === axis ? shares.length : dim)),
  );
  for (let row = 0; row < outer; row++)
    shares.forEach((list, position) => {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (const { index, weight } of list) sum += weight * x.data[(row * from + index) * inner + i];
        y.data[(row * shares.length + position) * inner + i] = sum;
      }
    });
  return y;
}
