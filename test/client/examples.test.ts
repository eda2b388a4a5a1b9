import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Agent, startAgent } from '../../lib/agent/agent';
import { tinyPlan } from '../agent/served';
import { ROOT } from '../tidy/sources';

const PAGE = readFileSync(join(ROOT, 'docs', 'clients.md'), 'utf8');
const run = promisify(execFile);

let agent: Agent;
beforeAll(async () => {
  agent = await startAgent({ model: 'tiny', plan: tinyPlan() });
});
afterAll(() => agent.close());

/** The example of a language, for the agent of this test. */
function example(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(PAGE)?.[1];
  if (found === undefined) throw new Error(`docs/clients.md has no example in ${language}`);
  return found.replaceAll('127.0.0.1:8700', new URL(agent.url).host);
}

const has = (command: string, ...words: string[]) => spawnSync(command, words).status === 0;

test('the example in JavaScript', async () => {
  const { stdout } = await run(process.execPath, ['-e', example('js')], { cwd: ROOT });
  expect(stdout).toContain('a FP32 [ 1, 4 ]\n');
  expect(stdout).toMatch(/^sum \[ 11, 22, 33, 44 \]$/m);
  expect(stdout).toMatch(/^inferences \d+$/m);
});

// Skipped by name where Python has no tritonclient.
(has('python3', '-c', 'import tritonclient.http') ? test : test.skip)('the example in Python', async () => {
  const { stdout } = await run('python3', ['-c', example('python')]);
  expect(stdout).toContain('b FP32 [1, 4]\n');
  expect(stdout).toMatch(/^sum \[\[11\. 22\. 33\. 44\.\]\]$/m);
});

// Skipped by name where there is no curl.
(has('curl', '--version') ? test : test.skip)('the example with curl', async () => {
  const { stdout } = await run('sh', ['-ec', example('sh')]);
  expect(stdout).toContain('"platform":"hone_plan"');
  expect(stdout).toContain('"name":"sum","datatype":"FP32","shape":[1,4],"data":[11,22,33,44]');
  expect(stdout).toContain('# TYPE hone_requests_total counter');
});

test('the client loads neither addon nor package', async () => {
  const script = `require('@hone-edge/hone/client'); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: ROOT });
  const files = JSON.parse(stdout) as string[];
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => file.includes('node_modules') || file.endsWith('.node'))).toEqual([]);
});
