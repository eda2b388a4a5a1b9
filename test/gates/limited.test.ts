import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'hone-limited-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a gate of `program`, a text for node, comes to within `minutes`. */
async function outcomeOf(program: string, minutes: number): Promise<{ outcome: unknown; told: string }> {
  const module = pathToFileURL(resolve('test/gates/limited.mjs')).href;
  const script = `import { runLimited } from '${module}';
    console.log(JSON.stringify(await runLimited([process.execPath, '-e', process.argv[1]], { minutes: ${minutes} })));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, program]);
  const texts = ['', ''];
  child.stdout.on('data', (text) => (texts[0] += text));
  child.stderr.on('data', (text) => (texts[1] += text));
  await once(child, 'close');
  return { outcome: JSON.parse(texts[0]), told: texts[1] };
}

test('a gate that ends by itself gives its exit code', async () => {
  expect(await outcomeOf('process.exit(3)', 1)).toEqual({ outcome: 3, told: '' });
});

test('a gate that hangs is ended with what it started, and says so', async () => {
  const path = join(folder, 'pid');
  const hangs = `const { spawn } = require('node:child_process');
    const { pid } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    require('node:fs').writeFileSync('${path}', String(pid));
    setInterval(() => {}, 1000);`;
  const { outcome, told } = await outcomeOf(hangs, 0.05);
  expect(outcome).toBe('too late');
  expect(told).toContain('not done after 0.05 minutes');
  const status = () => readFileSync(`/proc/${readFileSync(path, 'utf8')}/stat`, 'utf8').split(' ')[2];
  let state: string;
  try {
    state = status();
  } catch {
    state = 'gone';
  }
  // Ended, though nobody may have asked for its exit code.
  expect(['gone', 'Z']).toContain(state);
});
