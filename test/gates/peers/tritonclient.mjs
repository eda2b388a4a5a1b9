import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { INSTALL_PYTHON, pinned, pythonFolder } from './python.mjs';

const SCRIPT = fileURLToPath(new URL('tritonclient_checks.py', import.meta.url));

/** Python's client of Triton over HTTP, by gevent and by asyncio. */
export const tritonclient = {
  name: 'tritonclient',
  install: INSTALL_PYTHON,
  version: () => (pythonFolder() === undefined ? undefined : pinned('tritonclient[http]')),
  async run({ agent, models, check }) {
    const child = spawn(join(pythonFolder(), 'bin/python'), [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(JSON.stringify({ url: agent.url, models }));
    const [printed, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    for (const { what, ok, found } of printed.split('\n').filter(Boolean).map(JSON.parse)) check(what, ok, found);
    check('the script ends well', code === 0, said.slice(-2000));
    return {};
  },
};
