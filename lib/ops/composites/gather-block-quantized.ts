import { attribute } from '../../ir/attribute';
import { elementCount, type Tensor, tensorFrom } from '../../ir/tensor';
import { toDense } from '../dense';
import { castTo, int64s } from '../gradients';
import { type CompositeContext, constantInput, needed, Refused, reshaped, unsqueezed } from './composite';

/**
 * com.microsoft GatherBlockQuantized, the token table of language models: rows of codes by index, each block of a row with a scale
 * and maybe a zero point. The codes are kept as bytes; only the rows that are looked up become floats.
 */
export function gatherBlockQuantized(context: CompositeContext): readonly string[] {
  const { node, emit, f, input, extent } = context;
  const [bits, block] = [attribute(node, 'bits', 'int', 4), attribute(node, 'block_size', 'int', 128)];
  const codes = codesOf(constantInput(context, 0, 'codes'), bits);
  const [rows, width] = codes.dims;
  const axes = [attribute(node, 'gather_axis', 'int', 0), attribute(node, 'quantize_axis', 'int', 1)];
  if (codes.dims.length !== 2 || axes.join() !== '0,1')
    throw new Refused('expected rows of codes, gathered along axis 0 and quantized along axis 1');
  const [indices, scales] = [needed(context, 1), needed(context, 2)];
  const blocks = extent(scales, 1);
  if (extent(scales, 0) !== rows || blocks !== Math.ceil(width / block))
    throw new Refused(`[${[rows, width]}] codes in blocks of ${block} have other scales`);
  const looked = (table: string) => emit.node('Gather', [table, indices], { axis: 0 });
  const dims = (emit.typeOf(indices).shape as readonly number[]).slice();
  // One number for a block stands for each element of it.
  const spread = (value: string) => {
    const wide = emit.node('Expand', [
      unsqueezed(emit, value, [dims.length + 1]),
      int64s(emit, [...dims, blocks, block]),
    ]);
    const flat = reshaped(emit, wide, [...dims, blocks * block]);
    return blocks * block === width
      ? flat
      : emit.node('Slice', [flat, int64s(emit, [0]), int64s(emit, [width]), int64s(emit, [-1])]);
  };
  const table = (tensor: Tensor) => looked(emit.constant(tensor));
  const floats = castTo(emit, table(codes), 'float32');
  const zeros = input(3) === undefined ? undefined : codesOf(constantInput(context, 3, 'zero points'), bits, blocks);
  // Bytes are unsigned, with the middle as zero.
  const middle = constantInput(context, 0, 'codes').type === 'uint8' ? 2 ** (bits - 1) : 0;
  const moved = zeros ? f('Sub', floats, spread(castTo(emit, table(zeros), 'float32'))) : f('Sub', floats, middle);
  return [f('Mul', moved, spread(looked(scales)))];
}

/** Codes of 4 or 8 bits as bytes, one each; two in a byte are packed along the last axis, the lower half first. */
function codesOf(tensor: Tensor, bits: number, width?: number): Tensor {
  if (![4, 8].includes(bits)) throw new Refused(`bits = ${bits} is not supported`);
  const dense = toDense(tensor, 'float32');
  if (tensor.type === 'int4' || tensor.type === 'uint4' || bits === 8)
    return tensorFrom(tensor.type === 'int4' ? 'int8' : 'uint8', tensor.dims, Array.from(dense.data));
  const packed = tensor.dims.at(-1)!;
  const each = width ?? 2 * packed;
  const dims = [...tensor.dims.slice(0, -1), each];
  const data = Array.from({ length: elementCount(dims) }, (_, i) => {
    const [row, at] = [Math.floor(i / each), i % each];
    return (dense.data[row * packed + (at >> 1)] >> (at % 2 ? 4 : 0)) & 15;
  });
  return tensorFrom('uint8', dims, data);
}
