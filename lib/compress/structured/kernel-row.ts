import type { Isa } from '../target';

/** What one row of a kernel table computes at a time. */
export interface KernelRow {
  readonly isa: Isa;
  /** The condition under which the engine takes the row, by the name that the table gives it. */
  readonly fits: 'any' | 'pairs' | 'sliding' | 'wide';
  /** Output channels per block: the last block of a layer costs as much as a full one. */
  readonly block: number;
  /** Neighbours in the summed dimension that one instruction takes; of a depthwise row: rows of the window. */
  readonly depth: number;
  /** Whether the whole window is one run of summed elements; else each row of it is padded to `depth` on its own. */
  readonly gathered: boolean;
  /** Whether up to half a block of channels takes pixels in pairs. */
  readonly halves: boolean;
  /** Whether channels that fill a block evenly share it with neighbouring pixels. */
  readonly repeated: boolean;
}
