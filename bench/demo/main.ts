import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openConsole } from '../../lib/cli/console';
import { asHoneError } from '../../lib/core/error';
import { runDemo } from './demo';

/** Entry of `npm run demo`. */
async function main(): Promise<void> {
  const interrupt = new AbortController();
  process.on('SIGINT', () => interrupt.abort());
  const folder = join(process.cwd(), 'out', 'demo');
  await mkdir(folder, { recursive: true });
  // The demo's agent must not take the place of one that the user runs.
  process.env.HONE_STATE_DIR = join(folder, 'agent');
  try {
    await runDemo(folder, openConsole(false, interrupt.signal));
  } catch (error) {
    const { code, message, hint } = asHoneError(error);
    console.error(`demo failed: ${message} [${code}]\n${hint}`);
    process.exitCode = code === 'E_INTERRUPTED' ? 130 : 1;
  }
}

void main();
