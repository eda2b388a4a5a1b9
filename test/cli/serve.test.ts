import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { send, tinyPlan } from '../agent/served';
import { hone, type Running, start } from './hone';

let cwd: string;
let running: Running | undefined;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'hone-serve-'));
  mkdirSync(join(cwd, 'plans'));
  mkdirSync(join(cwd, 'empty'));
  for (const name of ['one', 'two']) writeFileSync(join(cwd, 'plans', `${name}.plan`), tinyPlan());
  writeFileSync(join(cwd, 'plans', 'broken.plan'), 'no plan');
  writeFileSync(join(cwd, 'token'), 'one word of a token\n'.replaceAll(' ', '-'));
  writeFileSync(join(cwd, 'short'), 'short\n');
});
afterEach(async () => {
  running?.child.kill('SIGTERM');
  await running?.ended;
  running = undefined;
});
afterAll(() => rmSync(cwd, { recursive: true }));

/** Starts `hone serve` and waits for its address. */
async function serve(words: string): Promise<{ readonly url: string; readonly text: string }> {
  running = start(['serve', ...words.split(' '), '--port', '0'], { cwd });
  const text = await running.until(/^serving[\s\S]*same user$/m);
  return { url: /http:\S+/.exec(text)![0], text };
}

test('serve takes a folder of plans, and says which it serves and what shares a process', async () => {
  const { url, text } = await serve('plans --cores 1 --queue 7 --timeout 500 --origin http://localhost:3000');
  expect(text).toMatch(/^serving the plans of plans at http:/);
  expect(text).toMatch(/^ {2}one version 1: ready$/m);
  expect(text).toMatch(/^ {2}broken version 1: .*plan/m);
  expect(text).toMatch(/supervisor and front are this process, \d+; workers are its children, under the same user$/);
  const { models } = (await send(url, '/v2/models')).json();
  expect(models).toEqual(['one', 'two'].map((name) => ({ name, versions: ['1'] })));
  expect((await send(url, '/v1/status')).json()).toMatchObject({ cores: { total: 1 } });
  const page = await send(url, '/v2', { headers: { origin: 'http://localhost:3000' } });
  expect([page.status, page.headers['access-control-allow-origin']]).toEqual([200, 'http://localhost:3000']);
  expect((await send(url, '/v2/repository/models/one/unload', { body: '{}' })).status).toBe(403);
});

test('serve --token-file lets those who have the token load and unload', async () => {
  const { url } = await serve('plans/one.plan --name it --token-file token');
  const unload = (token: string) =>
    send(url, '/v2/repository/models/it/unload', { body: '{}', headers: { authorization: `Bearer ${token}` } });
  expect((await unload('one-word-of-another')).status).toBe(401);
  expect((await unload('one-word-of-a-token')).status).toBe(200);
  expect((await send(url, '/v2/models')).json()).toEqual({ models: [] });
});

test.each([
  ['plans --name x', /--name tells how a plan is made .*plans is a folder.*E_USAGE/],
  ['plans --no-correct-bias', /--correct-bias tells .*E_USAGE/],
  ['plans --shape x=1,3', /--shape tells .*E_USAGE/],
  ['plans --origin *', /origins: expected exact origins .*E_OPTION_VALUE/],
  ['plans --queue 0', /--queue: expected .*E_OPTION_VALUE/],
  ['plans --timeout 1s', /--timeout: expected .*E_OPTION_VALUE/],
  ['plans --cores many', /--cores: expected .*E_OPTION_VALUE/],
  ['plans --token-file short', /--token-file: .*found 'short with 5 characters'.*E_OPTION_VALUE/],
  ['plans --token-file no', /cannot read no.*E_FILE_NOT_FOUND/],
  ['empty', /plans of empty: the folder: expected .*E_CATALOGUE/],
])('serve %s is refused', async (words, text) => {
  const { code, stderr } = await hone(['serve', ...words.split(' '), '--port', '0'], { cwd });
  expect([code, stderr]).toEqual([1, expect.stringMatching(text)]);
});
