/** One more try of a step, with some of its layers left alone. */
export interface Try<T> {
  readonly passes: boolean;
  readonly value: T;
}

/**
 * The try with the fewest layers left alone that passes: 1, 2, 4, ... of `layers` until one does, then halving between the
 * last count that failed and the first that passed. At least one layer stays treated. Undefined when no try passes, or none
 * within `tries`. Expects that more layers left alone do no harm.
 */
export async function rollBack<T>(
  layers: number,
  tries: number,
  attempt: (count: number) => Promise<Try<T>>,
): Promise<T | undefined> {
  let left = tries;
  let failed = 0;
  let passed: { readonly count: number; readonly value: T } | undefined;
  while (left > 0 && failed < layers - 1 && !passed) {
    const count = Math.min(Math.max(1, 2 * failed), layers - 1);
    const { passes, value } = await attempt(count);
    left--;
    if (passes) passed = { count, value };
    else failed = count;
  }
  while (left > 0 && passed && passed.count - failed > 1) {
    const count = Math.floor((failed + passed.count) / 2);
    const { passes, value } = await attempt(count);
    left--;
    if (passes) passed = { count, value };
    else failed = count;
  }
  return passed?.value;
}
