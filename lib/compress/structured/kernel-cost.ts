import { attribute } from '../../ir/attribute';
import type { Node, ValueType } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { ISAS, type Isa } from '../target';
import type { KernelRow } from './kernel-row';
import { KERNEL_ROWS } from './kernel-rows';

/** What an output costs besides its products: rounding, clamping and storing it, in products. Fitted on AVX2 and AVX-512 VNNI. */
const OUTPUT_PRODUCTS = 16;
/** What pairs of pixels cost, beside a full block: twice as many values have to be spread over a vector. */
const PAIRED = 0.72;

type Shape = readonly number[];

/**
 * Time that the int8 kernels of an instruction set take for a layer with `macs` multiply-accumulates, in products: output
 * channels rounded up to whole blocks, summed elements to what one instruction takes, and a charge per output. Layers that no
 * such kernel computes cost their MACs. Shapes are those of the node's inputs and outputs, all extents known.
 */
export function kernelCost(
  isa: Isa,
  node: Node,
  inputs: readonly (ValueType | undefined)[],
  outputs: readonly (ValueType | undefined)[],
  macs: number,
): number {
  const output = outputs[0]?.shape as Shape | undefined;
  if (!output || elementCount(output) === 0) return macs;
  if (node.op === 'Conv') return convCost(isa, node, inputs[1]!.shape as Shape, output);
  if ((node.op !== 'Gemm' && node.op !== 'MatMul') || output.length === 0) return macs;
  const channels = output[output.length - 1];
  const rows = elementCount(output) / channels;
  const row = rowOf('fc_s8', isa, { pairs: rows > 1 });
  return rows * blocksOf(row, channels) * (roundUp(macs / elementCount(output), row.depth) + OUTPUT_PRODUCTS);
}

function convCost(isa: Isa, node: Node, weight: Shape, output: Shape): number {
  const groups = attribute(node, 'group', 'int', 1);
  const [channels, groupInputs, ...kernel] = weight;
  const pixels = elementCount(output) / channels;
  const width = kernel[kernel.length - 1];
  const height = elementCount(kernel) / width;
  if (groupInputs === 1 && groups === channels && groups > 1) {
    const [stride, dilation] = ['strides', 'dilations'].map((name) => attribute(node, name, 'ints', []).at(-1) ?? 1);
    const row = rowOf('dwconv_s8', isa, {
      sliding: height === 3 && width === 3 && dilation === 1 && stride <= 2,
      wide: channels > 16 || stride === 1,
    });
    return pixels * filled(row, channels, stride) * (width * roundUp(height, row.depth) + OUTPUT_PRODUCTS);
  }
  const row = rowOf('conv_s8', isa, {});
  const depth = row.gathered
    ? roundUp(elementCount(kernel) * groupInputs, row.depth)
    : height * roundUp(width * groupInputs, row.depth);
  return pixels * groups * blocksOf(row, channels / groups) * (depth + OUTPUT_PRODUCTS);
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
