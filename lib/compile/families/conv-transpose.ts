import { constantExtents, floatConstant } from '../constants';
import { type ConvolutionWeights, convolutionWeights } from '../convolution-weights';
import { floatBias, integerBias, requantizeOperands } from '../integer-layer';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import { type Phases, subPixelPhases } from '../sub-pixel';
import { transposedWeights } from '../transposed-weights';
import { Unsupported } from '../unsupported';
import { extentsOf, sliceView, type View } from '../view';
import { part, resultView } from './assemble';
import { type Convolution, emitConvolution } from './convolution';
import { asImage, imageExtents } from './image';

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
  arrange<T extends Int8Array | Float32Array>(
    weights: T,
    Type: new (length: number) => T,
    empty: (channel: number) => number,
  ): T;
}

/** @throws Unsupported when the weights are not constant */
function piecesOf(layer: LayerOf<'conv-transpose'>): { readonly shape: Shape; readonly pieces: readonly Piece[] } {
  const { node, call, constants, extents } = layer;
  const dims = constantExtents(constants, node.inputs[1]);
  if (dims === undefined) throw new Unsupported(`the weights '${node.inputs[1]}' are not constant`);
  const { groups, window } = call;
  const [channels, filters, ...kernel] = imageExtents(dims);
  const shape = { groups, inputs: channels / groups, filters, outputs: filters * groups, kernel } as const;
  const [input, output] = [layer.inputExtents(0), extents].map((all) => imageExtents(all).slice(2));
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
  const { node, program, constants } = layer;
  const [, name, bias = ''] = node.inputs;
  const { shape, pieces } = piecesOf(layer);
  const weights = transposedWeights(constants, name, shape.inputs, shape.outputs);
  const biases = integerBias(constants, bias, x.quantization.scale, weights.scales, grid.scale);
  const convolutions = pieces.map((piece): Omit<Convolution, 'window'> => {
    const of = <T extends Int32Array | Float32Array | Float64Array>(values: T): T =>
      (values.constructor as unknown as { from(list: readonly number[]): T }).from(
        piece.channels.map((channel) => values[channel]),
      );
    const others = requantizeOperands(program, node, {
      bias: of(biases),
      weights: {
        values: weights.values,
        scales: of(weights.scales),
        zeroPoints: of(weights.zeroPoints),
        sums: of(weights.sums),
      },
      input: x.quantization,
      output: grid,
    });
    const arranged = piece.arrange(weights.values, Int8Array, (channel) => weights.zeroPoints[channel]);
    const operand = program.constant(name, 'int8', piece.geometry.dims, arranged);
    return { geometry: piece.geometry, groups: shape.groups, weights: operand, others, grid };
  });
  return () => assemble(layer, x, shape, pieces, convolutions);
}

function lowerFloat(layer: LayerOf<'conv-transpose'>): View {
  const { node, program, constants } = layer;
  const [, name, bias = ''] = node.inputs;
  const { shape, pieces } = piecesOf(layer);
  const { data } = floatConstant(constants, name)!;
  const biases = floatBias(constants, bias, shape.outputs);
  const convolutions = pieces.map((piece): Omit<Convolution, 'window'> => {
    const { geometry, channels } = piece;
    const arranged = piece.arrange(data, Float32Array, () => 0);
    const addend = Float32Array.from(channels, (channel) => biases[channel]);
    return {
      geometry,
      groups: shape.groups,
      weights: program.constant(name, 'float32', geometry.dims, arranged),
      others: [program.constant(bias || `${node.name}:bias`, 'float32', [channels.length], addend)],
    };
  });
  return assemble(layer, layer.float(), shape, pieces, convolutions);
}

/** Emits the convolutions, and brings their phases to their places: as a view where one of them makes all. */
function assemble(
  layer: LayerOf<'conv-transpose'>,
  x: View,
  shape: Shape,
  pieces: readonly Piece[],
  convolutions: readonly Omit<Convolution, 'window'>[],
): View {
  const { program, node, extents, call } = layer;
  const made = pieces.map((piece, index) => emitPiece(layer, asImage(x), piece, convolutions[index]));
  const [n, , h, w] = imageExtents(extents);
  const [{ rows, columns }] = pieces;
  const covers = rows.count * rows.phases.length === h && columns.count * columns.phases.length === w;
  const image = pieces.length === 1 && covers ? interleaved(made[0], shape, rows, columns) : undefined;
  if (image !== undefined) return extents.length === 3 ? { ...image, dims: image.dims.toSpliced(2, 1) } : image;
  const target = resultView(layer, made[0].buffer);
  for (const [index, piece] of pieces.entries())
    for (const [r, row] of piece.rows.phases.entries())
      for (const [c, column] of piece.columns.phases.entries()) {
        const phase = onePhase(made[index], shape, r * piece.columns.phases.length + c, piece);
        const starts = [0, 0, row.start, column.start];
        const box = [n, shape.outputs, piece.rows.count, piece.columns.count];
        const steps = [1, 1, ...call.window.stride];
        program.copy(`${node.name}:${row.start},${column.start}`, phase, part(asImage(target), starts, box, steps));
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
