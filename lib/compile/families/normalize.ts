import { elementCount } from '../../ir/tensor';
import { broadcastOffsets } from '../../ops/broadcast';
import { floatConstant } from '../constants';
import { cutLengths } from '../cut-lengths';
import type { FamilyOf, LayerOf } from '../layer';
import type { Operand } from '../step';
import { Unsupported } from '../unsupported';
import { broadcastView, channelsLastOrder, extentsOf, plainView, type View } from '../view';
import { combineViews } from './combine-views';
import { partOf, tailResult } from './result';

/** Normalizations of groups of elements. */
export const normalizeFamily: FamilyOf<'normalize'> = {
  ops: ['normalize_f32'],
  float: { fuses: false, lower: lowerGroups },
};

function lowerGroups(layer: LayerOf<'normalize'>): View {
  const { node, call, program } = layer;
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
  return { ...source, buffer };
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
  const { node, call, program, extents } = layer;
  const dims = [extents[1], ...extents.slice(2).map(() => 1)];
  // Row-major memory of one axis takes others of one element.
  const [scale, offset, centre, variance] = [1, 2, 3, 4].map((index) =>
    plainView(program.rowMajor(layer.float(index)).buffer, dims),
  );
  const part = (word: string) => ({ ...partOf(tailResult(layer), word), extents: dims });
  const epsilon = plainView(
    program.constant(`${node.name}:epsilon`, 'float32', [], Float32Array.of(call.epsilon)).buffer,
    [],
  );
  const sum = combineViews(part('variance'), 'add', [variance, epsilon]);
  const { name, value } = part('inverse');
  const buffer = program.buffer(value, 'float32', sum.buffer.count);
  const [outputs, inputs] = [buffer, sum.buffer].map((each) => [{ buffer: each, dims: [each.count] }]);
  program.emit({ name, op: 'unary_f32', outputs, inputs, params: { operation: 'reciprocal_sqrt' } });
  const slope = combineViews(part('slope'), 'multiply', [scale, { ...sum, buffer }]);
  return { centre, slope, offset };
}

/** Elements against a reduction of them: LogSoftmax, LpNormalization. */
export const relativeFamily: FamilyOf<'relative'> = {
  ops: ['reduce_f32', 'binary_f32'],
  float: {
    fuses: true,
    lower: (layer) => {
      const { call, tail, program, extents } = layer;
      const result = tailResult(layer);
      const { source, from, to, reduced } = cutLengths(program, layer.float(), call.axes, extents.length);
      const { name, value } = partOf(result, call.reduction);
      const buffer = program.buffer(value, 'float32', elementCount(to));
      program.emit({
        name,
        op: 'reduce_f32',
        outputs: [{ buffer, dims: to }],
        inputs: [{ buffer: source.buffer, dims: from }],
        params: { operation: call.reduction, clamp: call.least === undefined ? {} : { lo: call.least } },
      });
      return combineViews(result, call.operation, [source, { buffer, offset: 0, dims: reduced }], tail.bounds);
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
      const [batch, channels] = extents;
      const { count } = x.buffer;
      const make = (word: string) => {
        const { name, value } = partOf(result, word);
        return { name, view: plainView(program.buffer(value, 'float32', count), extents) };
      };
      const flat = ({ buffer }: View): Operand => ({ buffer, dims: [count] });
      const number = (word: string, value: number): View =>
        plainView(program.constant(partOf(result, word).value, 'float32', [], Float32Array.of(value)).buffer, []);
      const [squares, means, powers] = ['squares', 'means', 'powers'].map(make);
      program.emit({
        name: squares.name,
        op: 'unary_f32',
        outputs: [flat(squares.view)],
        inputs: [flat(x)],
        params: { operation: 'square' },
      });
      const image = ({ buffer }: View): Operand => ({ buffer, dims: [batch, channels, 1, count / (batch * channels)] });
      const pad = [Math.floor((call.size - 1) / 2), 0] as const;
      program.emit({
        name: means.name,
        op: 'average_pool_f32',
        outputs: [image(means.view)],
        inputs: [image(squares.view)],
        params: { window: { kernel: [call.size, 1], stride: [1, 1], dilation: [1, 1], pad }, countIncludePad: true },
      });
      const scaled = combineViews(partOf(result, 'scaled'), 'multiply', [means.view, number('alpha', call.alpha)]);
      const sums = combineViews(partOf(result, 'sums'), 'add', [scaled, number('bias', call.bias)]);
      program.emit({
        name: powers.name,
        op: 'unary_f32',
        outputs: [flat(powers.view)],
        inputs: [flat(sums)],
        params: { operation: 'power', alpha: -call.beta },
      });
      return combineViews(result, 'multiply', [x, powers.view], tail.bounds);
    },
  },
};
