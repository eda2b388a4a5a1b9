import { Rng } from '../../lib/core/rng';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';

/**
 * Distinct numbers in random order, at least `gap` apart from each other and half of that from zero: no maximum, sign or clip
 * changes within a finite difference.
 */
export function spaced(dims: readonly number[], seed = 1, gap = 0.1): Tensor {
  const count = elementCount(dims);
  const order = new Rng(seed).permutation(count);
  return tensorFrom(
    'float32',
    dims,
    Array.from(order, (rank) => (rank - count / 2 + 0.5) * gap),
  );
}

/** Numbers in [0.5, 1.5). */
export function positive(dims: readonly number[], seed = 1): Tensor {
  const rng = new Rng(seed);
  return tensorFrom(
    'float32',
    dims,
    Array.from({ length: elementCount(dims) }, () => 0.5 + rng.uniform()),
  );
}
