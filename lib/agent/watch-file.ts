import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** A change of a file comes as several events: one call for those that follow within so long, in milliseconds. */
const SETTLE_MS = 10;

/**
 * Calls `changed` after every change of a file, also by replacement. Its folder must be there.
 * @returns ends it
 */
export function watchFile(path: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const name = basename(path);
  const watcher = watch(dirname(path), (_, found) => {
    // Some systems do not tell which file it was.
    if (found !== null && found !== name) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      changed();
    }, SETTLE_MS);
  });
  // A folder that goes has nothing more to tell.
  watcher.on('error', () => watcher.close());
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
