import { createHash } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Installation } from '../../lib/boards/install';

/** An agent that does nothing but open its control socket and say its words; `broken` ends at once instead. */
const PROGRAM = `
const { createServer } = require('node:net');
const words = process.argv.slice(2);
if (words.includes('--threads')) { console.error('no such \\u001b[31mthreads'); process.exit(1); }
const folder = words[words.indexOf('--folder') + 1];
createServer().listen(folder + '/run/control.sock', () => console.log('up', ...words));
process.on('SIGTERM', () => process.exit(0));
process.on('SIGHUP', () => {});
`;

/** An installation of that agent, which this Node runs; `note` makes another program of it. */
export function toyInstallation(note = '', addon: Uint8Array = Buffer.from('addon')): Installation {
  const files = [
    ['hone-agent.js', Buffer.from(`${PROGRAM}// ${note}`)],
    ['hone.node', addon],
  ] as const;
  return {
    version: '0.1.0',
    node: { path: process.execPath },
    files: files.map(([path, bytes]) => ({ path, mode: 0o600, bytes, sha256: sha256(bytes) })),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Every path below a folder, with a mark of its kind. */
export function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => `${path}${lstatSync(join(folder, path)).isDirectory() ? '/' : ''}`)
    .sort();
}
