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

/** Shares closer than this are not told apart. */
const CLOSE = 0.15;

/**
 * The strongest application of a step that passes, by the share (0 to 1) of what is asked of it: first `guess`, then halving between
 * the largest that passed (0 at first) and the smallest that failed (1: `failed`), until `isNear` says that these two are
 * neighbours, the shares are close, or `tries` are used up. Undefined when none passes. Expects that less asked does less harm.
 */
export async function ease<T>(
  tries: number,
  guess: number,
  failed: T,
  attempt: (share: number) => Promise<Try<T>>,
  isNear: (passed: T, failed: T) => boolean,
): Promise<T | undefined> {
  let [low, high, below] = [0, 1, failed];
  let passed: T | undefined;
  for (let left = tries, share = guess; left > 0 && high - low > CLOSE; left--, share = (low + high) / 2) {
    if (passed !== undefined && isNear(passed, below)) break;
    const { passes, value } = await attempt(share);
    if (passes) [low, passed] = [share, value];
    else [high, below] = [share, value];
  }
  return passed;
}
