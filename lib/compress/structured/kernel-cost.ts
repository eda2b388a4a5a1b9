import { attribute } from '../../ir/attribute';
import type { Node, ValueType } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { ISAS, type Isa } from '../target';
import type { KernelRow } from './kernel-row';
import { KERNEL_ROWS } from './kernel-rows';

// What layers cost besides their products, in products: fitted on AVX2 and AVX-512 VNNI to the layers of five networks in six widths each.
/** What an output costs besides its products: rounding, clamping and storing it. */
const OUTPUT_PRODUCTS = 16;
/** What an input of a convolution costs: it is copied once, with the padding written out. */
const INPUT_PRODUCTS = 3.5;
/** The same of a depthwise output. */
const DEPTHWISE_PRODUCTS = 4;
/** What a column of a depthwise window costs that no window before it had: loading and interleaving its rows. */
const COLUMN_PRODUCTS = 13;
/** What it costs to begin a row of a depthwise output, in pixels. */
const STRIP_START = 1.5;
/** What an output pixel costs however few channels it has, in products of AVX-512 VNNI where PRODUCT_TIME is known. */
const PIXEL_TIME = 75;
/** As PIXEL_TIME, what an element of a sum of two activations costs, fused into a convolution: its division above all. */
const SUM_TIME = 50;
/** Time of a product, beside that of the other rows that a layer of the same target may get; equal where it was not measured. */
const PRODUCT_TIME: Readonly<Record<Isa, number>> = {
  ref: 1,
  avx2: 2.6,
  avx512vnni: 1,
  neon: 1,
  neon_dotprod: 1,
  neon_i8mm: 1,
};
/** What pairs of pixels cost, beside a full block: twice as many values have to be spread over a vector. */
const PAIRED = 0.76;

type Shape = readonly number[];

/**
 * Time that the int8 kernels of an instruction set take for a layer with `macs` multiply-accumulates, in products: output
 * channels rounded up to whole blocks, summed elements to what one instruction takes, and charges per output, input, pixel and row
 * of pixels; sums of two activations a charge per element. Layers that no such kernel computes cost their MACs, other nodes nothing. Shapes are those of the node's inputs and outputs, all extents known; `summed`: a sum that the
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
  if (node.op === 'Add') return isSum(inputs, outputs) ? SUM_TIME * summedElements(isa, output) : 0;
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

/** Elements that are added for an output: along with a convolution, in blocks of its channels. */
function summedElements(isa: Isa, output: Shape): number {
  if (output.length < 3) return elementCount(output);
  return (elementCount(output) / output[1]) * roundUp(output[1], rowOf('conv_s8', isa, {}).block);
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
    const products =
      width * roundUp(height, row.depth) + DEPTHWISE_PRODUCTS + COLUMN_PRODUCTS * Math.min(stride, width);
    const rows = pixels / output[output.length - 1];
    const begun = STRIP_START * rows * roundUp(channels, row.block);
    return PRODUCT_TIME[row.isa] * (pixels * filled(row, channels, stride) + begun) * products;
  }
  const own = rowOf('conv_s8', isa, {});
  const row = summed ? { ...own, halves: false } : own;
  const depth = row.gathered
    ? roundUp(elementCount(kernel) * groupInputs, row.depth)
    : height * roundUp(width * groupInputs, row.depth);
  const products = groups * blocksOf(row, channels / groups) * (depth + OUTPUT_PRODUCTS);
  const copied = INPUT_PRODUCTS * elementCount(input);
  const each = inPairs(row, channels / groups) ? 0 : PIXEL_TIME;
  return PRODUCT_TIME[row.isa] * (pixels * products + copied) + pixels * each;
}

/** The first row that the instruction set and the layer allow. */
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
function blocksOf({ block, halves }: Pick<KernelRow, 'block' | 'halves'>, channels: number): number {
  return inPairs({ block, halves }, channels) ? PAIRED * block : roundUp(channels, block);
}

function inPairs({ block, halves }: Pick<KernelRow, 'block' | 'halves'>, channels: number): boolean {
  return halves && channels <= block / 2;
}

/** As `blocksOf`, of a depthwise row. */
function filled({ block, repeated }: KernelRow, channels: number, stride: number): number {
  return repeated && block % channels === 0 && stride === 1 ? channels : roundUp(channels, block);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
