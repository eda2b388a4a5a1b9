import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measurePlan } from '../../lib/agent/measure/measure-plan';
import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { PROFILE_DEFAULTS, takeAnswer } from '../../lib/jobs/profile';

const folder = mkdtempSync(join(tmpdir(), 'hone-measured-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function measured(): Promise<Record<string, unknown>> {
  const builder = new GraphBuilder();
  builder.output(builder.node('Tanh', [builder.input('x', 'float32', [1, 8])]), 'float32', [1, 8]);
  const path = join(folder, 'toy.plan');
  writeFileSync(path, compile(prepareForEngine(builder.build()), { sourceHash: '0'.repeat(64) }).plan);
  return JSON.parse(JSON.stringify(await measurePlan(path, { ...PROFILE_DEFAULTS, runs: 5, energy: false })));
}

const take = (found: unknown) => takeAnswer(JSON.stringify({ found }), '', 'exit code 0', undefined);

test('a measurement is taken as it is told', async () => {
  const found = await measured();
  expect(take(found)).toEqual(found);
});

test('control characters of texts are shown, not sent to a terminal', async () => {
  const found = await measured();
  const { before } = take({ ...found, before: { ...(found.before as object), kernel: '6.1\u001b[2J' } });
  expect(before.kernel).toBe('6.1\\x1b[2J');
});

test.each<[string, object, string]>([
  ['a time below 0', { latency: { count: 1, meanUs: -1, p50Us: 1, p90Us: 1, p99Us: 1, maxUs: 1 } }, 'latency.meanUs'],
  ['no nodes', { nodes: null }, 'nodes'],
  ['a key that nobody knows', { surprise: 1 }, 'surprise'],
  ['a digest that is none', { outputs: [{ name: 'y', sha256: 'equal' }] }, 'outputs.0.sha256'],
])('%s is no measurement', async (_, change, place) => {
  const found = await measured();
  expect(() => take({ ...found, ...change })).toThrow(
    expect.objectContaining({ code: 'E_MEASURE', details: { reason: expect.stringContaining(place) } }),
  );
});

test('a process that ends without an answer is told by its last words', () => {
  expect(() => takeAnswer('', 'first\nno memory\u0007\n', 'signal SIGKILL', undefined)).toThrow(
    expect.objectContaining({ code: 'E_MEASURE', details: { reason: 'signal SIGKILL: no memory\\x07' } }),
  );
});
