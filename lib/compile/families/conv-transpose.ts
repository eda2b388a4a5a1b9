import { constantExtents, floatConstant } from '../constants';
import { type ConvolutionWeights, convolutionWeights } from '../convolution-weights';
import { floatBias, integerBias, requantizeOperands } from '../integer-layer';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import type { Quantization } from '../step';
import { type Phases, subPixelPhases } from '../sub-pixel';
import { transposedWeights } from '../transposed-weights';
import { Unsupported } from '../unsupported';
import { extentsOf, sliceView, type View } from '../view';
import { part, resultView } from './assemble';
import { type Convolution, emitConvolution } from './convolution';
import { asImage, imageExtents } from './image';
import { imagesAsVolume, tapsAsChannels } from './volume';

/**
 * Transposed convolutions: for every phase of the output the convolution that makes it, phases of one form at once as more
 * channels. No zero is multiplied, and every sum is that of one output, so int8 rounds as the formula does.
 */
export const convTransposeFamily: FamilyOf<'conv-transpose'> = {
  ops: ['conv_s8', 'dwconv_s8', 'conv_f32', 'dwconv_f32', 'copy_nd'],
  integer: { operands: 'first', grid: 'result', lower: lowerInteger },
  float: { fuses: true, lower: lowerFloat },
};

/** Weights of a transposed convolution [C, M/g, KH, KW]. */
interface Shape {
  readonly groups: number;
  /** Channels that an output reads, and outputs that read a channel. */
  readonly inputs: number;
  readonly filters: number;
  readonly outputs: number;
  readonly kernel: readonly [number, number];
}

/** The phases that one convolution makes. */
interface Piece {
  readonly rows: Phases;
  readonly columns: Phases;
  readonly geometry: ConvolutionWeights;
  /** Output channel of the layer for each output of the convolution: by group, row phase, column phase, filter. */
  readonly channels: readonly number[];
  /** Weights in plan order; `empty` stands for no product. */
  arrange<T extends Numbers>(weights: T, Type: new (length: number) => T, empty: (channel: number) => number): T;
}

type Numbers = Int8Array | Float32Array;

/** What int8 or float products are made with. */
interface Arithmetic<T extends Numbers = Numbers> {
  readonly type: 'int8' | 'float32';
  readonly Type: new (length: number) => T;
  /** [C, M/g, KH, KW], or with a depth before rows. */
  readonly values: T;
  /** The weight that stands for no product. */
  readonly empty: (channel: number) => number;
  /** The operands behind the weights, for outputs of these channels. */
  readonly others: (channels: readonly number[]) => Convolution['others'];
  /** The number of what lies in the padding. */
  readonly zero: number;
  readonly grid?: Quantization;
}

/** Extents of the weights. @throws Unsupported when they are not constant */
function weightExtents({ node, constants }: LayerOf<'conv-transpose'>): readonly number[] {
  const dims = constantExtents(constants, node.inputs[1]);
  if (dims === undefined) throw new Unsupported(`the weights '${node.inputs[1]}' are not constant`);
  return dims;
}

/** The convolutions that make images [_, M, H', W'] of images [_, C, H, W]. */
function piecesOf(
  { call }: LayerOf<'conv-transpose'>,
  dims: readonly number[],
  input: readonly number[],
  output: readonly number[],
): { readonly shape: Shape; readonly pieces: readonly Piece[] } {
  const { groups, window } = call;
  const [channels, filters, ...kernel] = imageExtents(dims);
  const shape = { groups, inputs: channels / groups, filters, outputs: filters * groups, kernel } as const;
  const [rows, columns] = [0, 1].map((axis) =>
    subPixelPhases({
      kernel: kernel[axis],
      stride: window.stride[axis],
      dilation: window.dilation[axis],
      pad: window.pads[axis],
      input: input[axis],
      output: output[axis],
    }),
  );
  // One channel per group has kernels of its own, which have one output for it.
  const apart = shape.inputs === 1 && filters === 1 && groups > 1;
  const cut = (forms: readonly Phases[]): readonly Phases[] =>
    apart ? forms.flatMap((form) => form.phases.map((phase) => ({ ...form, phases: [phase] }))) : forms;
  return { shape, pieces: cut(rows).flatMap((row) => cut(columns).map((column) => pieceOf(shape, row, column))) };
}

function pieceOf({ groups, inputs, filters, kernel }: Shape, rows: Phases, columns: Phases): Piece {
  const reached = rows.taps > 0 && columns.taps > 0;
  // No input reaches these places: they are the bias alone, which a product with nothing gives.
  const [height, width] = reached ? [rows.taps, columns.taps] : [1, 1];
  const channels: number[] = [];
  const sources: { channel: number; group: number; filter: number; taps: readonly number[] }[] = [];
  for (let group = 0; group < groups; group++)
    for (const row of rows.phases)
      for (const column of columns.phases) {
        const taps = reached ? row.taps.flatMap((y) => column.taps.map((x) => y * kernel[1] + x)) : [];
        for (let filter = 0; filter < filters; filter++) {
          const channel = group * filters + filter;
          channels.push(channel);
          sources.push({ channel, group, filter, taps });
        }
      }
  const geometry = convolutionWeights([channels.length, inputs, height, width], groups);
  const places = kernel[0] * kernel[1];
  return {
    rows,
    columns,
    geometry,
    channels,
    arrange(weights, Type, empty) {
      const ordered = new Type(channels.length * inputs * height * width);
      let next = 0;
      for (const { channel, group, filter, taps } of sources)
        for (let i = 0; i < inputs; i++) {
          const base = ((group * inputs + i) * filters + filter) * places;
          for (const tap of taps) ordered[next++] = weights[base + tap];
          if (taps.length === 0) ordered[next++] = empty(channel);
        }
      return geometry.arrange(ordered, Type);
    },
  };
}

function lowerInteger(layer: LayerOf<'conv-transpose'>, { operands: [x], grid }: Integers): () => View {
  const { node, program, constants, call } = layer;
  const [, name, bias = ''] = node.inputs;
  const [channels, filters] = weightExtents(layer);
  const weights = transposedWeights(constants, name, channels / call.groups, filters * call.groups);
  const biases = integerBias(constants, bias, x.quantization.scale, weights.scales, grid.scale);
  const others = (list: readonly number[]) => {
    const of = <T extends Int32Array | Float32Array | Float64Array>(values: T): T =>
      (values.constructor as unknown as { from(list: readonly number[]): T }).from(list.map((at) => values[at]));
    const { values, scales, zeroPoints, sums } = weights;
    return requantizeOperands(program, node, {
      bias: of(biases),
      weights: { values, scales: of(scales), zeroPoints: of(zeroPoints), sums: of(sums) },
      input: x.quantization,
      output: grid,
    });
  };
  // No phase has larger sums than all of the kernel: what int32 holds here it holds in each of them.
  others(Array.from(biases, (_, channel) => channel));
  const { values, zeroPoints } = weights;
  const zero = x.quantization.zeroPoint;
  const empty = (channel: number) => zeroPoints[channel];
  return () => transpose(layer, x, { type: 'int8', Type: Int8Array, values, empty, others, zero, grid });
}

function lowerFloat(layer: LayerOf<'conv-transpose'>): View {
  const { node, program, constants, call } = layer;
  const [, name, bias = ''] = node.inputs;
  const [, filters] = weightExtents(layer);
  const biases = floatBias(constants, bias, filters * call.groups);
  return transpose(layer, layer.float(), {
    type: 'float32',
    Type: Float32Array,
    values: floatConstant(constants, name)!.data,
    empty: () => 0,
    others: (channels) => [
      program.constant(
        bias || `${node.name}:bias`,
        'float32',
        [channels.length],
        Float32Array.from(channels, (channel) => biases[channel]),
      ),
    ],
    zero: 0,
  });
}

/** Emits the layer: over images, sequences (one row), or volumes as images for every phase of the depth. */
function transpose<T extends Numbers>(layer: LayerOf<'conv-transpose'>, x: View, arithmetic: Arithmetic<T>): View {
  const { extents, call, program, node } = layer;
  const dims = weightExtents(layer);
  const { depth } = call.window;
  if (depth === undefined) {
    const [n, m, h, w] = imageExtents(extents);
    const image = transposeImages(layer, asImage(x), dims, [n, m, h, w], arithmetic);
    return extents.length === 3 ? { ...image, dims: image.dims.toSpliced(2, 1) } : image;
  }
  const [n, m, slices, h, w] = extents;
  const axis = { kernel: depth.kernel, stride: depth.stride, dilation: depth.dilation, pad: depth.pads[0] };
  const forms = subPixelPhases({ ...axis, input: extentsOf(x)[2], output: slices });
  const made = forms.flatMap(({ phases, count, dilation, first }) =>
    phases.map(({ start, taps }) => {
      const window = { kernel: Math.max(1, taps.length), stride: 1, dilation, pads: [-first, 0] } as const;
      const images = tapsAsChannels(layer, x, call.groups, window, count, arithmetic.zero);
      const weights = depthTaps(dims, call.groups, taps, arithmetic);
      const plane = transposeImages(layer, images, weights.dims, [n * count, m, h, w], {
        ...arithmetic,
        values: weights.values,
      });
      return { start, volume: imagesAsVolume(plane, n, count) };
    }),
  );
  const target = resultView(layer, made[0].volume.buffer);
  for (const { start, volume } of made) {
    const box = part(target, [0, 0, start, 0, 0], extentsOf(volume), [1, 1, depth.stride, 1, 1]);
    program.copy(`${node.name}:${start}`, volume, box);
  }
  return target;
}

/** Weights [C, M/g, depth, KH, KW] of some places along the depth, as those of images whose channels are theirs: by group, place, channel. */
function depthTaps<T extends Numbers>(
  [channels, filters, depth, h, w]: readonly number[],
  groups: number,
  taps: readonly number[],
  { values, empty, Type }: Arithmetic<T>,
): { readonly dims: readonly number[]; readonly values: T } {
  const perGroup = channels / groups;
  const count = Math.max(1, taps.length);
  const plane = h * w;
  const ordered = new Type(channels * count * filters * plane);
  let next = 0;
  for (let group = 0; group < groups; group++)
    for (let place = 0; place < count; place++)
      for (let i = 0; i < perGroup; i++)
        for (let filter = 0; filter < filters; filter++, next += plane) {
          const from = (((group * perGroup + i) * filters + filter) * depth + taps[place]) * plane;
          if (taps.length > 0) ordered.set(values.subarray(from, from + plane), next);
          else ordered.fill(empty(group * filters + filter), next, next + plane);
        }
  return { dims: [channels * count, filters, h, w], values: ordered };
}

/** Emits the convolutions, and brings their phases to their places: as a view where one of them makes all. */
function transposeImages<T extends Numbers>(
  layer: LayerOf<'conv-transpose'>,
  x: View,
  dims: readonly number[],
  [n, m, h, w]: readonly [number, number, number, number],
  arithmetic: Arithmetic<T>,
): View {
  const { program, node, call } = layer;
  const { shape, pieces } = piecesOf(layer, dims, extentsOf(x).slice(2), [h, w]);
  const { values, Type, empty, others, grid, type } = arithmetic;
  const made = pieces.map((piece) =>
    emitPiece(layer, x, piece, {
      geometry: piece.geometry,
      groups: shape.groups,
      weights: program.constant(node.inputs[1], type, piece.geometry.dims, piece.arrange(values, Type, empty)),
      others: others(piece.channels),
      ...(grid && { grid }),
    }),
  );
  const [{ rows, columns }] = pieces;
  const covers = rows.count * rows.phases.length === h && columns.count * columns.phases.length === w;
  const image = pieces.length === 1 && covers ? interleaved(made[0], shape, rows, columns) : undefined;
  if (image !== undefined) return image;
  const target = resultView(layer, made[0].buffer, [n, m, h, w]);
  for (const [index, piece] of pieces.entries())
    for (const [r, row] of piece.rows.phases.entries())
      for (const [c, column] of piece.columns.phases.entries()) {
        const phase = onePhase(made[index], shape, r * piece.columns.phases.length + c, piece);
        const starts = [0, 0, row.start, column.start];
        const box = [n, shape.outputs, piece.rows.count, piece.columns.count];
        const steps = [1, 1, ...call.window.stride];
        program.copy(`${node.name}:${row.start},${column.start}`, phase, part(target, starts, box, steps));
      }
  return target;
}

/** The convolution of one piece, over what it reads of the input. */
function emitPiece(
  layer: LayerOf<'conv-transpose'>,
  x: View,
  { rows, columns, channels }: Piece,
  convolution: Omit<Convolution, 'window'>,
): View {
  const reached = rows.taps > 0 && columns.taps > 0;
  const full = extentsOf(x);
  const axes = [rows, columns].map((axis) => (reached ? axis : { ...axis, taps: 1, dilation: 1, first: 0 }));
  // What comes before the first input is padding; what the first output does not reach is cut off.
  const starts = [0, 0, ...axes.map(({ first }) => Math.max(0, first))];
  const steps = full.map(() => 1);
  const kept = full.map((extent, axis) => extent - starts[axis]);
  const source = sliceView(x, starts, steps, kept) ?? sliceView(layer.program.rowMajor(x), starts, steps, kept)!;
  const [top, left] = axes.map(({ first }) => Math.max(0, -first));
  return emitConvolution(layer, source, {
    ...convolution,
    window: {
      kernel: [axes[0].taps, axes[1].taps],
      stride: [1, 1],
      dilation: [axes[0].dilation, axes[1].dilation],
      pads: [top, left, 0, 0],
    },
    extents: [full[0], channels.length, rows.count, columns.count],
  });
}

/** Channels of one phase in the result of a piece. */
function onePhase(made: View, { groups, filters }: Shape, phase: number, { rows, columns }: Piece): View {
  const phases = rows.phases.length * columns.phases.length;
  const [batch, [{ stride }], ...spatial] = made.dims;
  const channels = [
    { extent: groups, stride: stride * filters * phases },
    { extent: filters, stride },
  ];
  return { ...made, offset: made.offset + phase * filters * stride, dims: [batch, channels, ...spatial] };
}

/** All phases of a piece interleaved; undefined where they are not in order. */
function interleaved(made: View, { groups, filters }: Shape, rows: Phases, columns: Phases): View | undefined {
  const inOrder = [rows, columns].every(({ phases }) => phases.every(({ start }, index) => start === index));
  if (!inOrder) return undefined;
  const [batch, [{ stride }], height, width] = made.dims;
  const [down, across] = [rows.phases.length, columns.phases.length];
  return {
    ...made,
    dims: [
      batch,
      [
        { extent: groups, stride: stride * filters * down * across },
        { extent: filters, stride },
      ],
      [...height, { extent: down, stride: stride * filters * across }],
      [...width, { extent: across, stride: stride * filters }],
    ],
  };
}
