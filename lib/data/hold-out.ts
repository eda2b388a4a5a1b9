import { HoneError } from '../core/error';
import { Rng } from '../core/rng';
import type { Dataset } from '../ir/dataset';

/** The same split in every run: figures of different seeds are measured on the same samples. */
const SPLIT_SEED = 0;

export interface HoldOutOptions {
  /** Part of the samples that is taken, 0 to below 1, rounded down. */
  readonly share: number;
  /** Most samples that are taken. */
  readonly most: number;
  /** What is taken, and out of what: words for the message when there are too few. */
  readonly names: { readonly taken: string; readonly from: string };
}

/**
 * Splits samples by index into those that are kept and those taken out, the same ones every time.
 * @throws E_DATA_MISMATCH when there are too few to take one
 */
export function holdOut(dataset: Dataset, { share, most, names }: HoldOutOptions): { kept: Dataset; taken: Dataset } {
  const count = Math.min(most, Math.floor(dataset.count * share));
  if (count === 0)
    throw new HoneError('E_DATA_MISMATCH', {
      expected: `at least ${Math.ceil(1 / share)} samples to take ${names.taken} out of`,
      found: `${dataset.count} in ${names.from}`,
    });
  const order = new Rng(SPLIT_SEED).permutation(dataset.count);
  return { kept: dataset.select(order.subarray(count).sort()), taken: dataset.select(order.subarray(0, count).sort()) };
}
