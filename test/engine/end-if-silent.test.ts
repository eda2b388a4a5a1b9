import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../lib/engine/package-root';

const MODULE = JSON.stringify(join(packageRoot(), 'dist', 'lib', 'engine', 'end-if-silent.js'));

/** How a process ended that called `endIfSilent` as the code says. */
function end(code: string): NodeJS.Signals | number | null {
  const script = `const { endIfSilent } = require(${MODULE}); ${code}`;
  const { signal, status } = spawnSync(process.execPath, ['-e', script], { timeout: 30_000 });
  return signal ?? status;
}

test('a process whose thread hangs is ended by the system', () => {
  expect(end('endIfSilent(1); for (;;);')).toBe('SIGALRM');
});

test('one that takes it back goes on', () => {
  const wait = 'const end = Date.now() + 1500; while (Date.now() < end);';
  expect(end(`endIfSilent(1); endIfSilent(0); ${wait} process.exit(7);`)).toBe(7);
});
