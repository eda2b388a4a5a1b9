import { HoneError } from '../core/error';
import type { Dataset } from '../ir/dataset';

/**
 * The dataset, but reading it fails when it ends before its count: results from fewer samples than were counted would look
 * like those from all of them.
 * @throws E_DATA_MISMATCH (from `batches`)
 */
export function guardCount(dataset: Dataset): Dataset {
  return {
    ...dataset,
    async *batches(options) {
      let seen = options.size * (options.skip ?? 0);
      for await (const batch of dataset.batches(options)) {
        seen += batch.count;
        yield batch;
      }
      if (seen < dataset.count)
        throw new HoneError('E_DATA_MISMATCH', {
          expected: `${dataset.count} samples in ${dataset.name}, as there were at first`,
          found: seen,
        });
    },
    select: (indices) => guardCount(dataset.select(indices)),
  };
}
