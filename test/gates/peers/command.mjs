import { spawnSync } from 'node:child_process';

/** Runs a command of a peer to its end, two minutes at most. */
export function runCommand(command, words, options = {}) {
  const ran = spawnSync(command, words, { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26, ...options });
  return { status: ran.status ?? ran.error?.message ?? ran.signal, stdout: ran.stdout ?? '', stderr: ran.stderr ?? '' };
}
