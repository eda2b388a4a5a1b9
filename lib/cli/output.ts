import type { Writable } from 'node:stream';
import { HoneError } from '../core/error';

/**
 * Keeps a program alive whose reader went away (`hone inspect model.onnx | head -1`): what it still prints is dropped.
 * `onGone` is called then, `onFailed` when standard output cannot take bytes for another reason, such as a full disk.
 */
export function guardOutput(onGone: () => void, onFailed: (error: HoneError) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') onGone();
    else onFailed(new HoneError('E_FILE_WRITE', { path: 'standard output', reason: error.message }, { cause: error }));
  });
  process.stderr.on('error', () => {});
}

/** Waits until a stream takes more, or never will, or the signal comes. */
export function drained(stream: Writable, signal: AbortSignal): Promise<void> {
  if (signal.aborted || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const events = ['drain', 'error', 'close'] as const;
    const done = () => {
      for (const event of events) stream.off(event, done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
    signal.addEventListener('abort', done);
  });
}
