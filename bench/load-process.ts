import { openSession } from '../lib/engine/session';

/** Arguments: a plan and the folder of the cache, empty for none. Prints microseconds of opening. The process must be fresh. */
function main([path, cache]: readonly string[]): void {
  using session = openSession(path, { packedCache: cache === '' ? false : cache });
  process.stdout.write(String(session.load.us));
}

main(process.argv.slice(2));
