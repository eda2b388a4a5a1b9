import { attribute } from '../../ir/attribute';
import { ELEMENT_TYPES } from '../../ir/element-type';
import { elementCount, type Tensor, tensorOf, toNumbers } from '../../ir/tensor';
import { fromDense, toDense } from '../dense';
import { castTo } from '../gradients';
import {
  attributesBut,
  type CompositeContext,
  constantInput,
  needed,
  parted,
  Refused,
  reshaped,
  unsqueezed,
} from './composite';

/** Every integer up to here is a float32. */
const EXACT = 2 ** 24;

/** A tensor on a grid that is computed from its range: codes less their zero point, as floats. */
interface DynamicGrid {
  readonly codes: string;
  readonly scale: string;
  /** The zero point as a float. */
  readonly zero: string;
}

/** The uint8 grid of ONNX DynamicQuantizeLinear-11: 0 and the extremes of `x` are on it. A tensor of zeros gets scale 1. */
function dynamicGrid({ emit, f }: CompositeContext, x: string): DynamicGrid {
  const extreme = (op: 'ReduceMin' | 'ReduceMax') => emit.node(op, [x], { keepdims: 0 });
  const [low, high] = [f('Min', extreme('ReduceMin'), 0), f('Max', extreme('ReduceMax'), 0)];
  const steps = f('Div', f('Sub', high, low), 255);
  const scale = f('Where', f('Equal', steps, 0), 1, steps);
  const zero = f('Round', f('Clip', f('Sub', 0, f('Div', low, scale)), 0, 255));
  const codes = f('Clip', f('Add', f('Round', f('Div', x, scale)), zero), 0, 255);
  return { codes, scale, zero };
}

/** ONNX DynamicQuantizeLinear-11. */
export function dynamicQuantizeLinear(context: CompositeContext): readonly string[] {
  const { codes, scale, zero } = dynamicGrid(context, needed(context, 0));
  const byte = (value: string) => context.emit.node('Cast', [value], { to: ELEMENT_TYPES.uint8.code });
  return [byte(codes), scale, byte(zero)];
}

/** Integers less their zero point, as floats; a zero point per row or column stands along an axis. */
function centred(context: CompositeContext, index: number, zeroIndex: number, axis?: number): string {
  const { emit, f, input, rankOf } = context;
  const [codes, zero] = [castTo(emit, needed(context, index), 'float32'), input(zeroIndex)];
  if (zero === undefined) return codes;
  const known = emit.constantOf(zero);
  if (known && toNumbers(known).every((value) => value === 0)) return codes;
  const single = rankOf(zero) === 0 || (emit.typeOf(zero).shape![0] === 1 && rankOf(zero) === 1);
  const shift = castTo(emit, single ? reshaped(emit, zero, []) : zero, 'float32');
  if (single || axis === undefined) return f('Sub', codes, shift);
  if (rankOf(zero) > 1) return f('Sub', codes, shift);
  // One number for each index of `axis`, which counts from the end.
  const behind = Array.from({ length: -axis - 1 }, (_, at) => at + 1);
  return f('Sub', codes, unsqueezed(emit, shift, behind));
}

/** Largest distance of a byte from its zero point. */
const LARGEST = 255;

/** Largest sum of |w| over `from <= k < to`, of weights [.., terms, columns] less their zero points. */
function largestSum(weights: Tensor, zeros: readonly number[], from: number, to: number): number {
  const [terms, columns] = weights.dims.length === 1 ? [weights.dims[0], 1] : weights.dims.slice(-2);
  const values = toNumbers(weights);
  let most = 0;
  for (let start = 0; start < values.length; start += terms * columns)
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = from; k < to; k++)
        sum += Math.abs(values[start + k * columns + column] - zeros[zeros.length === 1 ? 0 : column % zeros.length]);
      most = Math.max(most, sum);
    }
  return most;
}

/** Extents of the fewest equal pieces of `terms` products whose sums are exact in float32. @throws Refused where there are none */
function exactPieces(terms: number, largest: (from: number, to: number) => number): readonly number[] {
  for (let count = 1; count <= terms; count++) {
    const size = Math.ceil(terms / count);
    const sizes = Array.from({ length: Math.ceil(terms / size) }, (_, at) => Math.min(size, terms - at * size));
    if (sizes.every((each, at) => largest(at * size, at * size + each) * LARGEST < EXACT)) return sizes;
  }
  throw new Refused('sums of single terms are beyond the exact integers of float32');
}

/** ONNX MatMulInteger-10, in floats: in pieces that hold every sum exactly, which are added as int32. */
export function matMulInteger(context: CompositeContext): readonly string[] {
  const { emit, f, extent, rankOf } = context;
  const [a, b] = [needed(context, 0), needed(context, 1)];
  const weights = emit.constantOf(b);
  const zeros = constantZeros(context, 3);
  const bound = weights && zeros && ((from: number, to: number) => largestSum(weights, zeros, from, to));
  const pieces = exactPieces(extent(a, -1), bound ?? ((from, to) => (to - from) * LARGEST));
  const rows = parted(emit, centred(context, 0, 2, -2), pieces, rankOf(a) - 1);
  const columns = parted(emit, centred(context, 1, 3, -1), pieces, Math.max(0, rankOf(b) - 2));
  const sums = rows.map((part, at) => castTo(emit, f('MatMul', part, columns[at]), 'int32'));
  return [sums.reduce((sum, part) => f('Add', sum, part))];
}

/** Elements of a constant zero point, 0 when it is left out; undefined for one that is computed. */
function constantZeros({ emit, input }: CompositeContext, index: number): readonly number[] | undefined {
  const name = input(index);
  if (name === undefined) return [0];
  const tensor = emit.constantOf(name);
  return tensor && toNumbers(tensor);
}

/**
 * ONNX ConvInteger-10, in floats: in pieces of the input channels that hold every sum exactly, which are added as int32.
 * @throws Refused where groups of channels would need pieces
 */
export function convInteger(context: CompositeContext): readonly string[] {
  const { node, emit, f, rankOf } = context;
  const weights = constantInput(context, 1, 'weights');
  const [filters, channels, ...kernel] = weights.dims;
  const size = elementCount(kernel);
  const rows = { ...weights, dims: [filters, channels * size, 1] };
  const largest = (from: number, to: number) =>
    constantZeros(context, 3)?.map((zero) => largestSum(rows, [zero], from * size, to * size)) ?? [
      (to - from) * size * LARGEST,
    ];
  const pieces = exactPieces(channels, (from, to) => Math.max(...largest(from, to)));
  if (pieces.length > 1 && attribute(node, 'group', 'int', 1) !== 1)
    throw new Refused('sums of grouped channels are beyond the exact integers of float32');
  const x = parted(emit, centred(context, 0, 2), pieces, 1);
  const w = parted(emit, centred(context, 1, 3, -rankOf(needed(context, 1))), pieces, 1);
  const sums = x.map((part, at) =>
    castTo(emit, emit.node('Conv', [part, w[at]], Object.fromEntries(node.attributes)), 'int32'),
  );
  return [sums.reduce((sum, part) => f('Add', sum, part))];
}

/** com.microsoft MatMulIntegerToFloat: a product of integers, their scales, a bias. */
export function matMulIntegerToFloat(context: CompositeContext): readonly string[] {
  return [withBias(context, scaledProduct(context, { zeros: [4, 5], scales: [2, 3] }), 6)];
}

/** Inputs that give the grids of two factors. */
interface Grids {
  readonly zeros: readonly [left: number, right: number];
  readonly scales: readonly [left: number, right: number];
}

/** The product of the integers at inputs 0 and 1, as floats. */
export function scaledProduct(context: CompositeContext, { zeros, scales }: Grids): string {
  const { f } = context;
  const product = f('MatMul', centred(context, 0, zeros[0], -2), centred(context, 1, zeros[1], -1));
  return f('Mul', product, f('Mul', needed(context, scales[0]), needed(context, scales[1])));
}

/** com.microsoft DynamicQuantizeMatMul: the left factor on a grid of its own range. */
export function dynamicQuantizeMatMul(context: CompositeContext): readonly string[] {
  const { f } = context;
  const { codes, scale, zero } = dynamicGrid(context, needed(context, 0));
  const product = f('MatMul', f('Sub', codes, zero), centred(context, 1, 3, -1));
  return [withBias(context, f('Mul', product, f('Mul', scale, needed(context, 2))), 4)];
}

/**
 * com.microsoft DynamicQuantizeLSTM: an LSTM whose weights [directions, size, rows] are codes. Input and hidden state stay floats:
 * onnxruntime puts them on a grid of their own range at every step.
 */
export function dynamicQuantizeLstm(context: CompositeContext): readonly string[] {
  const { node, emit, input, wants } = context;
  const weights = (index: number, scale: number) => {
    const { type, dims, data } = toDense(constantInput(context, index, 'weights'), 'float32');
    if (type !== 'int8' && type !== 'uint8') throw new Refused(`expected weights of 8 bits, found ${type}`);
    const scales = toDense(constantInput(context, scale, 'scales'), 'float32').data;
    const zeros = toDense(constantInput(context, scale + 1, 'zero points'), 'float32').data;
    const [directions, size, rows] = dims;
    // One for each direction, or for each row of it.
    const per = (grid: ArrayLike<number>, direction: number, row: number) =>
      grid[grid.length === directions ? direction : direction * rows + row];
    const turned = Float32Array.from({ length: data.length }, (_, i) => {
      const [direction, row, k] = [Math.floor(i / (size * rows)), Math.floor(i / size) % rows, i % size];
      const code = data[(direction * size + k) * rows + row];
      return (code - per(zeros, direction, row)) * per(scales, direction, row);
    });
    return emit.constant(tensorOf('float32', [directions, rows, size], turned));
  };
  const others = [3, 4, 5, 6, 7].map((index) => input(index) ?? '');
  const inputs = [needed(context, 0), weights(1, 8), weights(2, 10), ...others];
  const count = [2, 1, 0].find((index) => wants(index)) ?? 0;
  return emit.nodes(
    'LSTM',
    inputs.slice(0, inputs.findLastIndex((name) => name !== '') + 1),
    count + 1,
    attributesBut(node, []),
  );
}

function withBias({ f, input }: CompositeContext, value: string, index: number): string {
  const bias = input(index);
  return bias === undefined ? value : f('Add', value, bias);
}

/**
 * com.microsoft MatMulNBits: weights in blocks of `bits` bits along what is summed, as a DequantizeLinear of 4 or 8 bits whose zero
 * points are whole; else they become floats here.
 */
export function matMulNBits(context: CompositeContext): readonly string[] {
  const { node, emit, f } = context;
  const [bits, block] = [attribute(node, 'bits', 'int', 4), attribute(node, 'block_size', 'int')];
  const [inner, columns] = [attribute(node, 'K', 'int'), attribute(node, 'N', 'int')];
  if (![2, 4, 8].includes(bits)) throw new Refused(`bits = ${bits} is not supported`);
  if (context.input(4) !== undefined) throw new Refused("input 'g_idx' is not supported");
  const blocks = Math.ceil(inner / block);
  const packed = unpacked(constantInput(context, 1, 'weights'), bits);
  const scales = toDense(constantInput(context, 2, 'scales'), 'float32').data;
  const zeros = zerosOf(context, bits, blocks);
  const rowCodes = blocks * Math.ceil((block * bits) / 8) * (8 / bits);
  const code = (k: number, column: number): number =>
    packed[column * rowCodes + Math.floor(k / block) * (rowCodes / blocks) + (k % block)];
  // Everything by what is summed, then by column.
  const dims = [inner, columns];
  const blockDims = [blocks, columns];
  const zeroPoints = tableOf(blockDims, zeros);
  const blockScales = tableOf(blockDims, (at, column) => scales[column * blocks + at]);
  const middle = 2 ** (bits - 1);
  const type = bits === 8 ? 'uint8' : 'uint4';
  const whole = zeroPoints.every((zero) => Number.isInteger(zero) && zero >= 0 && zero < 2 ** bits);
  if (!whole) {
    const real = (k: number, column: number): number => {
      const at = Math.floor(k / block) * columns + column;
      return (code(k, column) - zeroPoints[at]) * blockScales[at];
    };
    const weights = emit.constant(tensorOf('float32', dims, Float32Array.from(tableOf(dims, real))));
    return [withBias(context, f('MatMul', needed(context, 0), weights), 5)];
  }
  const centred = zeroPoints.every((zero) => zero === middle);
  const integers = (extents: readonly number[], data: readonly number[]): string =>
    emit.constant(
      fromDense({
        type: centred ? (bits === 8 ? 'int8' : 'int4') : type,
        dims: extents,
        data: (centred ? Int8Array : Uint8Array).from(data),
      }),
    );
  const weights = emit.node(
    'DequantizeLinear',
    [
      integers(
        dims,
        tableOf(dims, (k, column) => code(k, column) - (centred ? middle : 0)),
      ),
      emit.constant(tensorOf('float32', blockDims, Float32Array.from(blockScales))),
      ...(centred ? [] : [integers(blockDims, zeroPoints)]),
    ],
    { axis: 0, block_size: block },
  );
  return [withBias(context, f('MatMul', needed(context, 0), weights), 5)];
}

/** Numbers by row and column, row after row. */
function tableOf([rows, columns]: readonly number[], at: (row: number, column: number) => number): number[] {
  return Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
}

/** Zero points by block and column: packed as the weights are, or floats; the middle of the codes without. */
function zerosOf(context: CompositeContext, bits: number, blocks: number): (block: number, column: number) => number {
  if (context.input(3) === undefined) return () => 2 ** (bits - 1);
  const tensor = constantInput(context, 3, 'zero points');
  if (tensor.type !== 'uint8') {
    const { data } = toDense(tensor, 'float32');
    return (block, column) => data[column * blocks + block];
  }
  const codes = unpacked(tensor, bits);
  const row = Math.ceil((blocks * bits) / 8) * (8 / bits);
  return (block, column) => codes[column * row + block];
}

/** Codes of `bits` bits, the lowest bits of a byte first. */
function unpacked(tensor: Tensor, bits: number): readonly number[] {
  if (tensor.type !== 'uint8') throw new Refused(`expected packed codes in uint8, found ${tensor.type}`);
  const places = Array.from({ length: 8 / bits }, (_, at) => at * bits);
  return toNumbers(tensor).flatMap((byte) => places.map((place) => (byte >> place) & (2 ** bits - 1)));
}
