import { spawn } from 'node:child_process';
import { HoneError } from '../../core/error';
import type { Link } from '../link';
import { processLink } from './process-link';

/** A link to this machine: scripts are children of this process. */
export function localLink(): Link {
  return processLink({
    destination: { kind: 'local' },
    start: (script) => spawn('/bin/sh', ['-c', script], { stdio: 'pipe' }),
    explain: ({ startError }) =>
      new HoneError('E_BOARD_SHELL', { board: 'local', reason: startError?.message ?? 'the script did not begin' }),
  });
}
