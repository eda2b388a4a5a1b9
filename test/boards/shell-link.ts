import { spawn, spawnSync } from 'node:child_process';
import type { Link } from '../../lib/boards/link';
import { processLink } from '../../lib/boards/links/process-link';
import { HoneError } from '../../lib/core/error';

/** Shells that boards have, as the words in front of `-c SCRIPT`. The one of busybox takes its own applets before what is in PATH. */
export const SHELLS: readonly (readonly string[])[] = [['sh'], ['busybox', 'sh']].filter(
  ([command]) => spawnSync(command, ['true']).error === undefined,
);

/** Whether this process may mount: then tests can have a disk that is full, or that no program may run from. */
export const CAN_MOUNT = spawnSync('unshare', ['-m', 'true']).status === 0;

/** A link to this machine whose scripts run by this shell, with these variables, behind these lines. */
export function shellLink(shell: readonly string[], env: NodeJS.ProcessEnv = {}, prelude = ''): Link {
  return processLink({
    destination: { kind: 'local' },
    start: (script) =>
      spawn(shell[0], [...shell.slice(1), '-c', `${prelude}\n${script}`], {
        stdio: 'pipe',
        env: { ...process.env, ...env },
      }),
    explain: ({ stderr }) => new HoneError('E_BOARD_SHELL', { board: 'local', reason: stderr }),
  });
}
