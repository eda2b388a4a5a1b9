import { elementCount } from '../../ir/tensor';
import { broadcastOffsets } from '../../ops/broadcast';
import { floatConstant } from '../constants';
import { cutLengths } from '../cut-lengths';
import type { FamilyOf, LayerOf } from '../layer';
import type { Operand } from '../step';
import { Unsupported } from '../unsupported';
import { broadcastView, channelsLastOrder, extentsOf, plainView, type View } from '../view';
import { accumulateView } from './accumulate-view';
import { combineViews } from './combine-views';
import { elementConstant } from './element-bits';
import { mapView } from './map-view';
import { layerResult, partOf, type Result, tailResult } from './result';

/** Normalizations of groups of elements. */
export const normalizeFamily: FamilyOf<'normalize'> = {
  ops: ['normalize_f32', 'reduce_f32', 'binary_f32', 'unary_f32'],
  float: { fuses: false, lower: lowerGroups },
};

function lowerGroups(layer: LayerOf<'normalize'>): (View | undefined)[] {
  const { node, call, program } = layer;
  if (!(call.epsilon >= 0 && Number.isFinite(call.epsilon)))
    throw new Unsupported(`its epsilon is ${call.epsilon}: expected a finite number from 0 on`);
  const { source, dims, groups } = cutGroups(layer);
  const [, , channels] = dims;
  // Factors along the normalized axes, or one for each channel.
  const along = call.factors === 'elements' ? call.axes.map((axis) => layer.inputExtents(0)[axis]) : [channels];
  const factors = call.factors === 'none' ? [] : [1, 2].map((index) => factorsOperand(layer, index, along));
  const buffer = program.buffer(node.outputs[0], 'float32', source.buffer.count);
  program.emit({
    name: node.name,
    op: 'normalize_f32',
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: source.buffer, dims }, ...factors],
    params: { groups, centered: call.centered, epsilon: call.epsilon },
  });
  return [{ ...source, buffer }, ...statistics(layer)];
}

/** Mean and inverse deviation of LayerNormalization, where they are asked for: computed again, which only training does. */
function statistics(layer: LayerOf<'normalize'>): (View | undefined)[] {
  const { node, call } = layer;
  const [, wantsMean, wantsInverse] = node.outputs.map((name) => name !== '');
  if (call.factors === 'channels' || !(wantsMean || wantsInverse)) return [];
  const { axes, epsilon } = call;
  const result = layerResult(layer);
  const mean = accumulateView(partOf(result, 'mean'), 'mean', layer.float(), axes);
  if (!wantsInverse) return [mean];
  const centred = combineViews(partOf(result, 'centred'), 'subtract', [layer.float(), mean]);
  const squares = mapView(partOf(result, 'squares'), { operation: 'square' }, centred);
  const variance = accumulateView(partOf(result, 'variance'), 'mean', squares, axes);
  const extents = extentsOf(variance);
  const sum = combineViews({ ...partOf(result, 'sum'), extents }, 'add', [
    variance,
    number(result, 'epsilon', epsilon),
  ]);
  return [wantsMean ? mean : undefined, mapView(partOf(result, 'inverse'), { operation: 'reciprocal_sqrt' }, sum)];
}

function number(result: Result, word: string, value: number): View {
  return plainView(elementConstant(result.program, partOf(result, word).value, 'float32', value), []);
}

/** The input in a memory order that the kernel takes, as [outer, length, channels]. */
function cutGroups(layer: LayerOf<'normalize'>): { source: View; dims: [number, number, number]; groups: number } {
  const { call, program } = layer;
  const x = layer.float();
  const extents = extentsOf(x);
  if (call.factors === 'channels') {
    const source = program.arrange(x, channelsLastOrder(extents.length));
    return { source, dims: [extents[0], elementCount(extents.slice(2)), extents[1]], groups: call.groups };
  }
  if (call.factors === 'elements') {
    const source = program.arrange(x, [...othersInMemory(x, call.axes), ...call.axes]);
    const length = elementCount(call.axes.map((axis) => extents[axis]));
    return { source, dims: [source.buffer.count / length, 1, length], groups: 1 };
  }
  const { source, outer, length, inner } = cutLengths(program, x, call.axes, extents.length);
  return inner === 1
    ? { source, dims: [outer, 1, length], groups: 1 }
    : { source, dims: [outer, length, inner], groups: inner };
}

/** The axes besides `axes`, outermost in memory first. */
function othersInMemory(x: View, axes: readonly number[]): number[] {
  const strides = x.dims.map((factors) =>
    Math.max(...factors.map(({ extent, stride }) => (extent === 1 ? 0 : stride))),
  );
  const others = strides.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  return others.sort((a, b) => strides[b] - strides[a] || a - b);
}

/** Input `index` broadcast to `extents`, one number behind the other; undefined where it is left out. */
function factorsOperand(layer: LayerOf<'normalize'>, index: number, extents: readonly number[]): Operand | undefined {
  const { node, program, constants } = layer;
  const name = node.inputs[index] ?? '';
  if (name === '') return undefined;
  const dims = [elementCount(extents)];
  const known = floatConstant(constants, name);
  if (known !== undefined) {
    const data = Float32Array.from(broadcastOffsets(known.dims, extents), (at) => known.data[at]);
    return program.constant(name, 'float32', dims, data);
  }
  const view = broadcastView(layer.float(index), extents);
  if (view === undefined) throw new Unsupported(`'${name}' does not broadcast to [${extents}]`);
  return { buffer: program.rowMajor(view).buffer, dims };
}

/** BatchNormalization: with constant statistics a product and a sum per channel. */
export const batchNormFamily: FamilyOf<'batch-norm'> = {
  ops: ['binary_f32', 'unary_f32'],
  float: {
    fuses: true,
    lower: (layer) => {
      const { node, tail, constants } = layer;
      const result = tailResult(layer);
      const known = node.inputs.slice(1).map((name) => floatConstant(constants, name)?.data);
      const factors = known.every((data) => data !== undefined) ? foldFactors(layer, known) : computeFactors(layer);
      const { centre, slope, offset } = factors;
      const x = centre ? combineViews(partOf(result, 'centred'), 'subtract', [layer.float(), centre]) : layer.float();
      return combineViews(
        result,
        'add',
        [combineViews(partOf(result, 'scaled'), 'multiply', [x, slope]), offset],
        tail.bounds,
      );
    },
  },
};

/** `(x - centre) * slope + offset`, each with the axes of channels and of what lies behind. */
interface ChannelFactors {
  readonly centre?: View;
  readonly slope: View;
  readonly offset: View;
}

function foldFactors(
  { node, call, program, extents }: LayerOf<'batch-norm'>,
  [scale, bias, mean, variance]: readonly Float32Array[],
): ChannelFactors {
  const slope = Float64Array.from(scale, (each, c) => each / Math.sqrt(variance[c] + call.epsilon));
  const dims = [slope.length, ...extents.slice(2).map(() => 1)];
  const constant = (word: string, data: Float64Array): View =>
    plainView(program.constant(`${node.name}:${word}`, 'float32', dims, Float32Array.from(data)).buffer, dims);
  return {
    slope: constant('slope', slope),
    offset: constant(
      'offset',
      slope.map((each, c) => bias[c] - mean[c] * each),
    ),
  };
}

function computeFactors(layer: LayerOf<'batch-norm'>): ChannelFactors {
  const { call, program, extents } = layer;
  const dims = [extents[1], ...extents.slice(2).map(() => 1)];
  // Row-major memory of one axis takes others of one element.
  const [scale, offset, centre, variance] = [1, 2, 3, 4].map((index) =>
    plainView(program.rowMajor(layer.float(index)).buffer, dims),
  );
  const part = (word: string) => ({ ...partOf(tailResult(layer), word), extents: dims });
  const sum = combineViews(part('variance'), 'add', [variance, number(tailResult(layer), 'epsilon', call.epsilon)]);
  const inverse = mapView(part('inverse'), { operation: 'reciprocal_sqrt' }, sum);
  return { centre, slope: combineViews(part('slope'), 'multiply', [scale, inverse]), offset };
}

/** Elements against a reduction of them: LogSoftmax, LpNormalization. */
export const relativeFamily: FamilyOf<'relative'> = {
  ops: ['reduce_f32', 'binary_f32'],
  float: {
    fuses: true,
    lower: (layer) => {
      const { call, tail } = layer;
      const result = tailResult(layer);
      const clamp = call.least === undefined ? {} : { lo: call.least };
      const against = accumulateView(partOf(result, call.reduction), call.reduction, layer.float(), call.axes, clamp);
      return combineViews(result, call.operation, [layer.float(), against], tail.bounds);
    },
  },
};

/** LRN: an average pool of squares along the channels, which lie like the rows of an image for it. */
export const localResponseFamily: FamilyOf<'local-response'> = {
  ops: ['unary_f32', 'average_pool_f32', 'binary_f32'],
  float: {
    fuses: true,
    lower: (layer) => {
      const { call, tail, program, extents } = layer;
      const result = tailResult(layer);
      const x = program.rowMajor(layer.float());
      const squares = mapView(partOf(result, 'squares'), { operation: 'square' }, x);
      const { name, value } = partOf(result, 'means');
      const buffer = program.buffer(value, 'float32', x.buffer.count);
      const dims = [extents[0], extents[1], 1, x.buffer.count / (extents[0] * extents[1])];
      const pad = [Math.floor((call.size - 1) / 2), 0] as const;
      program.emit({
        name,
        op: 'average_pool_f32',
        outputs: [{ buffer, dims }],
        inputs: [{ buffer: squares.buffer, dims }],
        params: { window: { kernel: [call.size, 1], stride: [1, 1], dilation: [1, 1], pad }, countIncludePad: true },
      });
      const factors = [plainView(buffer, extents), number(result, 'alpha', call.alpha)];
      const scaled = combineViews(partOf(result, 'scaled'), 'multiply', factors);
      const sums = combineViews(partOf(result, 'sums'), 'add', [scaled, number(result, 'bias', call.bias)]);
      const powers = mapView(partOf(result, 'powers'), { operation: 'power', alpha: -call.beta }, sums);
      return combineViews(result, 'multiply', [x, powers], tail.bounds);
    },
  },
};
