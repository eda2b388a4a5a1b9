import type { Dim } from '../ir/graph';
import { elementCount, toNumbers } from '../ir/tensor';
import type { KernelCall } from '../ops/kernel-call';
import { copyBehind, fill, part, resultView } from './families/assemble';
import { elementBits } from './families/element-bits';
import { findPlaces, gatherSlices } from './families/places';
import { placesWithin } from './fill-beyond';
import type { Kernel, LoweredLayer } from './layer';
import type { Lowering } from './lowering';
import { Unsupported } from './unsupported';
import { extentsOf, plainView, type View } from './view';

/** A layer that reads values with extents that only a run decides. */
interface Reading<C extends KernelCall = KernelCall> {
  readonly layer: LoweredLayer<C>;
  readonly state: Lowering;
  /** Shapes of the inputs and of the first output: an extent that the run decides is a symbol. */
  readonly shapes: readonly (readonly Dim[])[];
  readonly result: readonly Dim[];
  isBounded(dim: Dim | undefined): boolean;
}

/**
 * What makes a layer right on values of which only the first so many slices are there: whatever stands behind them may reach no
 * others. It throws for what it cannot make right, and returns the result where the family does not.
 */
type Rule<K extends Kernel> = (reading: Reading<Extract<KernelCall, { kernel: K }>>) => View | undefined;

const RULES: { readonly [K in Kernel]?: Rule<K> } = {
  unary: requireAligned,
  binary: requireAligned,
  integer: requireAligned,
  compare: requireAligned,
  cast: requireAligned,
  limit: requireAligned,
  where: requireAligned,
  expand: (reading) => requireAligned({ ...reading, shapes: reading.shapes.slice(0, 1) }),
  quantize: () => undefined,
  dequantize: () => undefined,
  transpose: () => undefined,
  reshape: requireSamePlaces,
  extents: tellExtents,
  gather: (reading) => requirePlaces(reading, [reading.layer.call.axis]),
  'gather-elements': (reading) => requirePlaces(reading, [reading.layer.call.axis]),
  'gather-nd': (reading) => {
    const { batchDims } = reading.layer.call;
    const depth = reading.shapes[1].at(-1);
    requirePlaces(
      reading,
      reading.shapes[0].flatMap((_, axis) => (axis < batchDims + Number(depth) ? [axis] : [])),
    );
  },
  split: (reading) => requireOthers(reading, [reading.layer.call.axis]),
  softmax: (reading) => requireOthers(reading, [reading.layer.call.axis]),
  'one-hot': requireAlignedAround,
  reduce: (reading) => {
    const { float, axes } = reading.layer.call;
    const lowest = float === 'reduce_max_f32' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    fillAlong(reading, axes, lowest);
  },
  accumulate: (reading) => {
    const { operation, axes } = reading.layer.call;
    const neutral = NEUTRAL[operation];
    if (neutral === undefined) requireOthers(reading, axes);
    else fillAlong(reading, axes, neutral);
  },
  'arg-extreme': (reading) => {
    const { axis, smallest, last } = reading.layer.call;
    if (last) requireOthers(reading, [axis]);
    else fillAlong(reading, [axis], smallest ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
  },
  'top-k': (reading) => {
    const { axis, smallest } = reading.layer.call;
    fillAlong(reading, [axis], smallest ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
  },
  'cumulative-sum': (reading) => {
    const { axis, reverse } = reading.layer.call;
    if (reverse) requireOthers(reading, [axis]);
  },
  // They count by themselves.
  'non-zero': () => undefined,
  compress: () => undefined,
  'non-max-suppression': () => undefined,
  slice: cutSlices,
  concat: joinParts,
  pad: padParts,
  matmul: requireRows,
  'fully-connected': requireRows,
};

/** What changes no sum, product or the like. */
const NEUTRAL: Readonly<Record<string, number | undefined>> = {
  sum: 0,
  sum_of_squares: 0,
  l1: 0,
  l2: 0,
  product: 1,
};

/**
 * Makes a layer right that reads values with extents that only a run decides. Returns the result where the family of the layer
 * does not make it.
 * @throws Unsupported for what reads them in another way than by slices
 */
export function readBounded(state: Lowering, layer: LoweredLayer): View | undefined {
  const { network } = state;
  const { node, call } = layer;
  const bounded = node.inputs.find((input) => input !== '' && network.bounded.has(input));
  if (bounded === undefined) return undefined;
  const rule = RULES[call.kernel] as Rule<Kernel> | undefined;
  if (rule === undefined) throw refusal(state, bounded);
  return rule({
    layer,
    state,
    shapes: node.inputs.map((input) => network.shapeOf(input) ?? []),
    result: network.shapeOf(node.outputs[0]) ?? [],
    isBounded: (dim) => network.bounded.isBounded(dim),
  } as Reading as never);
}

function refusal({ network }: Lowering, value: string): Unsupported {
  const [axis, dim] = [...(network.shapeOf(value) ?? [])].flatMap((each, at) =>
    network.bounded.isBounded(each) ? [[at, each] as const] : [],
  )[0] ?? [0, 0];
  return new Unsupported(
    `it reads '${value}', of whose axis ${axis} only a run decides the extent (at most ${network.bounded.most(dim)}): ` +
      'no kernel does that with what may be missing',
  );
}

function refuse({ layer, state, shapes, isBounded }: Reading): never {
  const at = shapes.findIndex((shape) => shape.some((dim) => isBounded(dim)));
  throw refusal(state, layer.node.inputs[at]);
}

/** Element by element: operands repeat where they have one element, or agree. */
function requireAligned(reading: Reading): undefined {
  const { shapes, result, isBounded } = reading;
  for (const shape of shapes)
    for (const [at, dim] of [...shape].reverse().entries()) {
      const other = result[result.length - 1 - at];
      if (dim !== other && dim !== 1 && (isBounded(dim) || isBounded(other))) refuse(reading);
    }
}

/** The same around the axis that the layer adds. */
function requireAlignedAround(reading: Reading): undefined {
  const { axis } = reading.layer.call as Extract<KernelCall, { kernel: 'one-hot' }>;
  const without = reading.result.filter((_, at) => at !== axis);
  requireAligned({ ...reading, shapes: reading.shapes.slice(0, 1), result: without });
}

/** Another shape of the same elements: extents that the run decides stay where they are. */
function requireSamePlaces(reading: Reading): undefined {
  const { shapes, result, state, isBounded } = reading;
  const most = (dims: readonly Dim[]) => elementCount(dims.map((dim) => state.network.bounded.most(dim)!));
  const places = [shapes[0], result].map((shape) =>
    shape.flatMap((dim, axis) => (isBounded(dim) ? [`${dim} behind ${most(shape.slice(0, axis))}`] : [])),
  );
  if (places[0].join() !== places[1].join()) refuse(reading);
}

/** Nothing goes along such an axis. */
function requireOthers(reading: Reading, axes: readonly number[]): undefined {
  if (axes.some((axis) => reading.isBounded(reading.shapes[0][axis]))) refuse(reading);
}

/** Looked up by places from the front, where such an axis is looked up. */
function requirePlaces(reading: Reading, axes: readonly number[]): undefined {
  const { state, layer, shapes, isBounded } = reading;
  if (axes.some((axis) => isBounded(shapes[0][axis])) && !countsFromFront(state, layer.node.inputs[1])) refuse(reading);
}

/** Whether indices are surely not negative: places that an operator found, or constants. */
function countsFromFront(state: Lowering, value: string): boolean {
  const { network } = state;
  const constant = network.initializer(value);
  if (constant !== undefined) return toNumbers(constant).every((index) => index >= 0);
  const maker = network.producer(value);
  if (maker === undefined) return false;
  const kernel = network.findKernel(maker)?.kernel;
  if (kernel === 'top-k') return maker.outputs[1] === value;
  if (['non-zero', 'non-max-suppression', 'arg-extreme'].includes(kernel ?? '')) return true;
  const moved = ['cast', 'reshape', 'transpose', 'slice', 'gather', 'gather-nd', 'split', 'compress', 'expand'];
  return moved.includes(kernel ?? '') && countsFromFront(state, maker.inputs[0]);
}

/** Sees to it that what is missing along these axes changes nothing. */
function fillAlong(reading: Reading, axes: readonly number[], number: number): undefined {
  const { layer, shapes, isBounded } = reading;
  if (!axes.some((axis) => isBounded(shapes[0][axis]))) return;
  if (layer.plain(0).buffer.type !== 'float32' && !Number.isFinite(number)) refuse(reading);
  layer.replace(0, layer.filled(0, number));
}

/** Products whose sums go along other axes. */
function requireRows(reading: Reading): undefined {
  const { shapes, layer, isBounded } = reading;
  const { call } = layer as LoweredLayer<Extract<KernelCall, { kernel: 'matmul' | 'fully-connected' }>>;
  const [a, b] = call.kernel === 'matmul' ? call.transpose : [false, call.transposeWeights];
  const summed = [shapes[0].at(a ? -2 : -1), shapes[1].at(b || shapes[1].length === 1 ? -1 : -2)];
  if (summed.some((dim) => isBounded(dim))) refuse(reading);
  requireAligned({ ...reading, shapes: shapes.slice(2) });
}

/** Slices from the front on: they are there as far as the input is. */
function cutSlices(reading: Reading<Extract<KernelCall, { kernel: 'slice' }>>): undefined {
  const { layer, state, shapes, result, isBounded } = reading;
  const { network, counts } = state;
  const numbers = (index: number) => {
    const tensor = network.initializer(layer.node.inputs[index] ?? '');
    return tensor && toNumbers(tensor);
  };
  const [starts, ends] = [numbers(1) ?? [], numbers(2) ?? []];
  const axes = numbers(3) ?? starts.map((_, axis) => axis);
  for (const [at, given] of axes.entries()) {
    const axis = given < 0 ? given + shapes[0].length : given;
    const dim = shapes[0][axis];
    if (!isBounded(dim)) continue;
    const [start, end] = [starts[at], ends[at]];
    // What counts from the end would need the end.
    if (layer.call.steps[axis] !== 1 || !(start >= 0) || !(end >= 0)) refuse(reading);
    if (result[axis] === dim) continue;
    const name = `${layer.node.name}:count${axis}`;
    const last = counts.combine(name, 'minimum', counts.of(dim), counts.number(Math.min(end, 2 ** 31)));
    const length = counts.combine(name, 'subtract', last, counts.number(start));
    state.counts.set(layer.node.outputs[0], axis, counts.combine(name, 'maximum', length, counts.number(0)));
  }
}

/** Parts one behind the other: those that are there are picked out of the parts at their greatest. */
function joinParts(reading: Reading<Extract<KernelCall, { kernel: 'concat' }>>): View | undefined {
  const { layer, state, shapes, isBounded } = reading;
  const { program, node, call } = layer;
  const { axis } = call;
  if (!shapes.some((shape) => isBounded(shape[axis]))) return undefined;
  const views = node.inputs.map((_, index) => layer.plain(index));
  const masks = views.map((view, index) => {
    const length = extentsOf(view)[axis];
    const dim = shapes[index][axis];
    const name = `${node.name}:mask${index}`;
    if (isBounded(dim)) return placesWithin(state, name, dim, [length]);
    return plainView(program.constant(name, 'bool', [length], new Uint8Array(length).fill(1)).buffer, [length]);
  });
  const dims = extentsOf(views[0]);
  const whole = dims.map((dim, at) => (at === axis ? layer.extents[axis] : dim));
  const joined = concatenated(layer, views, whole, axis);
  const places = findPlaces(
    program,
    `${node.name}:places`,
    concatenated(layer, masks, [whole[axis]], 0, 'mask'),
  ).places;
  const { buffer } = gatherSlices(program, node.outputs[0], program.rowMajor(joined), {
    outer: elementCount(whole.slice(0, axis)),
    length: whole[axis],
    inner: elementCount(whole.slice(axis + 1)),
    places: { buffer: places.buffer, dims: [whole[axis]] },
  });
  return plainView(buffer, whole);
}

function concatenated(
  { program, node }: LoweredLayer,
  views: readonly View[],
  extents: readonly number[],
  axis: number,
  name = 'parts',
): View {
  const { type, quantization } = views[0].buffer;
  const target = plainView(program.buffer(`${node.name}:${name}`, type, elementCount(extents), quantization), extents);
  return copyBehind(program, `${node.name}:${name}`, views, target, axis);
}

/** Padding behind what is there, up to an extent that is known: what is missing becomes the value. */
function padParts(reading: Reading<Extract<KernelCall, { kernel: 'pad' }>>): View | undefined {
  const { layer, shapes, result, isBounded } = reading;
  const { call, node, program } = layer;
  if (shapes[0].every((dim, axis) => !isBounded(dim) || (dim === result[axis] && call.before[axis] === 0)))
    return undefined;
  if (call.value === undefined || call.before.some((count) => count < 0)) refuse(reading);
  if (shapes[0].some((dim, axis) => isBounded(dim) && isBounded(result[axis]))) refuse(reading);
  const view = layer.filled(0, call.value!);
  const target = resultView(layer, view.buffer);
  const extents = extentsOf(view).map((extent, axis) => Math.min(extent, layer.extents[axis] - call.before[axis]));
  fill(program, `${node.name}:fill`, target.buffer, elementBits(view.buffer.type, call.value!));
  program.copy(
    node.name,
    part(
      view,
      extents.map(() => 0),
      extents,
    ),
    part(target, call.before, extents),
  );
  return target;
}

/** Shape and Size: the extents that the run decides among those that are known. */
function tellExtents(reading: Reading): View {
  const { layer, state } = reading;
  const { program, node, extents } = layer;
  const dims = state.network.partialOf(node.outputs[0]);
  if (!dims?.every((dim) => dim !== undefined && state.network.bounded.most(dim) !== undefined)) refuse(reading);
  const target = plainView(program.buffer(node.outputs[0], 'int64', dims!.length), [dims!.length]);
  for (const [index, dim] of dims!.entries()) {
    const count = { ...state.counts.of(dim!), dims: [[{ extent: 1, stride: 0 }]] };
    program.copy(`${node.name}:${index}`, count, part(target, [index], [1]));
  }
  return plainView(target.buffer, extents);
}
