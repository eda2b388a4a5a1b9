import { setImmediate } from 'node:timers/promises';
import { HoneError } from '../core/error';

/** Time that a loop may keep signals and timers waiting, in milliseconds. */
const PATIENCE_MS = 50;

/**
 * A check to await in every round of a long loop. Runs of the native engine never wait for anything, so that Ctrl-C would not
 * be heard without it: now and then it lets waiting events in, and it throws once the signal has come.
 * @throws E_INTERRUPTED (from the check) with the text of `what`
 */
export function interruptCheck(signal: AbortSignal | undefined, what: () => string): () => Promise<void> {
  let last = Date.now();
  return async () => {
    if (Date.now() - last >= PATIENCE_MS) {
      await setImmediate();
      last = Date.now();
    }
    if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: what() });
  };
}
