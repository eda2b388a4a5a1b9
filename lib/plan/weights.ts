import type { PlanWeights } from './description';
import { PLAN_TYPE_BYTES } from './format';

/** Bytes of a row of codes. */
function codeRowBytes({ bits, row }: Pick<PlanWeights, 'bits' | 'row'>): number {
  return Math.ceil((row * bits) / 8);
}

/** How many elements weights of `codeBytes` bytes of codes have. */
export function codedElements(weights: Pick<PlanWeights, 'bits' | 'row'>, codeBytes: number): number {
  return (codeBytes / codeRowBytes(weights)) * weights.row;
}

/** Bytes of the table of weights with `codeBytes` bytes of codes; 0: none. */
export function codeTableBytes(
  weights: Pick<PlanWeights, 'encoding' | 'type' | 'bits' | 'row' | 'group' | 'zeroPoints'>,
  codeBytes: number,
): number {
  const { encoding, type, bits, row, group = 0, zeroPoints } = weights;
  if (encoding === 'codebook') return PLAN_TYPE_BYTES[type] << bits;
  if (encoding !== 'scaled') return 0;
  const groups = (codeBytes / codeRowBytes(weights)) * Math.ceil(row / group);
  return groups * (zeroPoints ? 5 : 4);
}

/** What is wrong with weights and their constants, in words, or undefined. */
export function findWeightsFault(weights: PlanWeights, constants: readonly Uint8Array[]): string | undefined {
  const { encoding, type, bits, row, group = 0, zeroPoints, codes, table } = weights;
  if (encoding === 'block_sparse' || encoding === 'entropy') return `${encoding} weights are read by a later engine`;
  const types = encoding === 'narrow' ? ['int8'] : encoding === 'scaled' ? ['float32'] : ['int8', 'float32'];
  if ((bits !== 4 && bits !== 8) || !types.includes(type) || (type === 'int8' && bits === 8))
    return `${encoding} codes of ${bits} bits for ${type}`;
  if (!Number.isInteger(row) || row < 1 || row >= 2 ** 30) return `rows of ${row} codes`;
  const scaled = encoding === 'scaled';
  if (scaled ? !Number.isInteger(group) || group < 1 || group > row : group !== 0) return `groups of ${group} codes`;
  if (zeroPoints && !scaled) return `${encoding} codes with zero points`;
  const size = constants[codes]?.length ?? 0;
  if (size === 0 || size % codeRowBytes(weights) !== 0) return `${size} bytes for rows of ${row} codes`;
  const tableBytes = codeTableBytes(weights, size);
  const found = table === undefined ? 0 : constants[table]?.length;
  if (found !== tableBytes) return `needs a table of ${tableBytes} bytes, found ${found ?? 'no'} bytes`;
  return undefined;
}
