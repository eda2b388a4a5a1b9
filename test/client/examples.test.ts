import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { type Agent, startAgent } from '../../lib/agent/agent';
import { openArtifact } from '../../lib/jobs/artifact';
import { makePlan } from '../../lib/jobs/make-plan';
import { tinyPlan } from '../agent/served';
import { pictureModel, SPEC } from '../picture-model';
import { ROOT } from '../tidy/sources';

const PAGE = readFileSync(join(ROOT, 'docs', 'clients.md'), 'utf8');
const run = promisify(execFile);

let folder: string;
let agent: Agent;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hone-clients-'));
  writeFileSync(join(folder, 'tiny.plan'), tinyPlan());
  const boxes = { kind: 'boxes', layout: 'yolov8', scoreThreshold: 0 };
  const detector = pictureModel('float32', [1, 3, 6, 8], { 'hone.preprocess': SPEC, 'hone.outputs': boxes });
  writeFileSync(join(folder, 'detector.onnx'), detector);
  const { plan } = await makePlan(await openArtifact(join(folder, 'detector.onnx')), {});
  writeFileSync(join(folder, 'detector.plan'), plan);
  writeFileSync(join(folder, 'photo.png'), PNG.sync.write(new PNG({ width: 8, height: 6 })));
  agent = await startAgent({ folder });
});
afterAll(async () => {
  await agent.close();
  rmSync(folder, { recursive: true });
});

/** An example in a language, the first if no other is meant, for the agent of this test. */
function example(language: string, index = 0): string {
  const found = [...PAGE.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))][index]?.[1];
  if (found === undefined) throw new Error(`docs/clients.md has no example ${index} in ${language}`);
  return found.replaceAll('127.0.0.1:8700', new URL(agent.url).host).replaceAll('photo.png', join(folder, 'photo.png'));
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

test('the example with a picture', async () => {
  const { stdout } = await run(process.execPath, ['-e', example('js', 1)], { cwd: ROOT });
  expect(stdout).toMatch(/^8 x 6\n(\d \d\.\d\d \d+\.?\d* \d+\.?\d*\n)+$/);
});

/** Files that a script has loaded besides those of Node, with what it printed before. */
async function loadedBy(script: string): Promise<string[]> {
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: ROOT });
  const files = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as string[];
  expect(files.length).toBeGreaterThan(5);
  return files;
}
const LOADED = 'JSON.stringify(Object.keys(require.cache))';

test('the client loads neither addon nor package', async () => {
  const files = await loadedBy(`require('@hone-edge/hone/client'); console.log(${LOADED})`);
  expect(files.filter((file) => file.includes('node_modules') || file.endsWith('.node'))).toEqual([]);
});

test('a picture takes the packages that decode pictures, and no native code', async () => {
  const files = await loadedBy(example('js', 1).replace(/main\(\);\s*$/, `main().then(() => console.log(${LOADED}));`));
  const packages = files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  expect([...new Set(packages)].sort()).toEqual(['jpeg-js', 'pngjs', 'zod']);
  expect(files.filter((file) => file.endsWith('.node'))).toEqual([]);
});
