import { createServer } from 'node:net';

/**
 * Holds a name on this machine until it is let go or the process ends, however that may be: the system keeps it (a socket without a
 * file), so that nothing stays behind of a process that was killed.
 * @returns lets it go; undefined when another holds it
 */
export function holdName(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const holder = createServer((socket) => socket.destroy());
    holder.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    holder.listen(`\0hone-${name}`, () => {
      holder.unref();
      resolve(() => void holder.close());
    });
  });
}
