import { attribute } from '../../ir/attribute';
import type { Node, ValueType } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { ISAS, type Isa } from '../target';
import type { KernelRow } from './kernel-row';
import { KERNEL_ROWS } from './kernel-rows';

/** What an output costs besides its products: rounding, clamping and storing it, in products. Fitted on AVX2 and AVX-512 VNNI. */
const OUTPUT_PRODUCTS = 16;
/** Time of a product, beside that of the other rows that a layer of the same target may get; equal where it was not measured. */
const PRODUCT_TIME: Readonly<Record<Isa, number>> = {
  ref: 1,
  avx2: 2.6,
  avx512vnni: 1,
  neon: 1,
  neon_dotprod: 1,
  neon_i8mm: 1,
};
/** What an element of a sum of two activations costs: its division above all. Fitted on AVX-512 VNNI, fused into a convolution. */
const SUM_PRODUCTS = 40;
/** What pairs of pixels cost, beside a full block: twice as many values have to be spread over a vector. */
const PAIRED = 0.72;

type Shape = readonly number[];

/**
 * Time that the int8 kernels of an instruction set take for a layer with `macs` multiply-accumulates, in products: output
 * channels rounded up to whole blocks, summed elements to what one instruction takes, and a charge per output; sums of two
 * activations a charge per element. Layers that no such kernel computes cost their MACs, other nodes nothing. Shapes are those of the node's inputs and outputs, all extents known; `summed`: a sum that the
 * engine computes along with the layer adds another activation to its output.
 */
export function kernelCost(
  isa: Isa,
  node: Node,
  inputs: readonly (ValueType | undefined)[],
  outputs: readonly (ValueType | undefined)[],
  { macs, summed = false }: { readonly macs: number; readonly summed?: boolean },
): number {
  const output = outputs[0]?.shape as Shape | undefined;
  if (!output || elementCount(output) === 0) return macs;
  if (node.op === 'Add') return isSum(inputs, outputs) ? SUM_PRODUCTS * PRODUCT_TIME[isa] * elementCount(output) : 0;
  if (node.op === 'Conv') {
    const shapes = [inputs[0]!.shape as Shape, inputs[1]!.shape as Shape] as const;
    return convCost(isa, node, shapes, output, summed);
  }
  if ((node.op !== 'Gemm' && node.op !== 'MatMul') || output.length === 0) return macs;
  const channels = output[output.length - 1];
  const rows = elementCount(output) / channels;
  const row = rowOf('fc_s8', isa, { pairs: rows > 1 });
  const products = roundUp(macs / elementCount(output), row.depth) + OUTPUT_PRODUCTS;
  return PRODUCT_TIME[row.isa] * rows * blocksOf(row, channels) * products;
}

/** Whether both sides of an Add have the shape of the result: it adds no bias, but two activations. */
export function isSum(
  inputs: readonly (ValueType | undefined)[],
  [output]: readonly (ValueType | undefined)[],
): boolean {
  return inputs.every((type) => type?.shape?.join() === output?.shape?.join());
}

function convCost(
  isa: Isa,
  node: Node,
  [input, weight]: readonly [Shape, Shape],
  output: Shape,
  summed: boolean,
): number {
  const [channels, groupInputs, ...kernel] = weight;
  // The attribute may still count groups that have gone.
  const groups = input[1] / groupInputs;
  const pixels = elementCount(output) / channels;
  const width = kernel[kernel.length - 1];
  const height = elementCount(kernel) / width;
  if (groupInputs === 1 && groups === channels && groups > 1) {
    const [stride, dilation] = ['strides', 'dilations'].map((name) => attribute(node, name, 'ints', []).at(-1) ?? 1);
    const row = rowOf('dwconv_s8', isa, {
      sliding: height === 3 && width === 3 && dilation === 1 && stride <= 2,
      wide: channels > 16 || stride === 1,
    });
    const products = width * roundUp(height, row.depth) + OUTPUT_PRODUCTS;
    return PRODUCT_TIME[row.isa] * pixels * filled(row, channels, stride) * products;
  }
  const own = rowOf('conv_s8', isa, {});
  const row = summed ? { ...own, halves: false } : own;
  const depth = row.gathered
    ? roundUp(elementCount(kernel) * groupInputs, row.depth)
    : height * roundUp(width * groupInputs, row.depth);
  return PRODUCT_TIME[row.isa] * pixels * groups * blocksOf(row, channels / groups) * (depth + OUTPUT_PRODUCTS);
}

/** The first row that the instruction set and the layer allow. Weights of Hone's own quantizer are symmetric and above -128. */
function rowOf(
  kernel: keyof typeof KERNEL_ROWS,
  isa: Isa,
  layer: Partial<Readonly<Record<KernelRow['fits'], boolean>>>,
): KernelRow {
  const words: readonly Isa[] = ISAS[isa];
  const rows: readonly KernelRow[] = KERNEL_ROWS[kernel];
  return rows.find((row) => words.includes(row.isa) && (layer[row.fits] ?? true))!;
}

/** Output channels that are computed for `channels`. */
function blocksOf({ block, halves }: KernelRow, channels: number): number {
  return halves && channels <= block / 2 ? PAIRED * block : roundUp(channels, block);
}

/** As `blocksOf`, of a depthwise row. */
function filled({ block, repeated }: KernelRow, channels: number, stride: number): number {
  return repeated && block % channels === 0 && stride === 1 ? channels : roundUp(channels, block);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
