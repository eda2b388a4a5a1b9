import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, startAgent } from '../../../lib/agent/agent';
import { folderCatalogue } from '../../../lib/agent/supervisor/folder-catalogue';
import { INFER, jsonRequest, send, tinyPlan } from '../served';

/** A port of loopback that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-plans-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (catalogue: unknown) => writeFileSync(join(folder, 'catalogue.json'), JSON.stringify(catalogue));
const read = () => JSON.parse(readFileSync(join(folder, 'catalogue.json'), 'utf8')) as { models: object[] };
const model = (changes: object = {}) => ({ name: 'a', plan: 'a.plan', ...changes });

test('a folder without a catalogue offers all its plans', async () => {
  for (const name of ['b.plan', 'a.x.plan', '.plan', 'notes.txt']) writeFileSync(join(folder, name), '');
  expect(await folderCatalogue(folder).entries()).toEqual([
    { name: 'a.x', version: '1', plan: 'a.x.plan', loaded: true },
    { name: 'b', version: '1', plan: 'b.plan', loaded: true },
  ]);
});

test('a catalogue says what there is and how it is served', async () => {
  const how = { version: '2', loaded: false, threads: 2, queue: 3, timeoutMs: 400, batch: true };
  write({ models: [model(), model({ ...how, plan: 'sub/a.plan' })] });
  expect(await folderCatalogue(folder).entries()).toEqual([
    { name: 'a', version: '1', plan: 'a.plan', loaded: true },
    { name: 'a', ...how, plan: 'sub/a.plan' },
  ]);
});

describe('is refused, with its place:', () => {
  test.each<[what: string, content: unknown, text: RegExp]>([
    ['no object', [], /the whole: expected object, found \[\]/],
    ['no list', { models: {} }, /models: expected array, found \{\}/],
    ['a misspelled key', { models: [model({ thread: 1 })] }, /models\[0\]\.thread: expected a known key.*threads/],
    ['no name', { models: [{ plan: 'a.plan' }] }, /models\[0\]\.name: expected string, found nothing/],
    ['a name with a slash', { models: [model({ name: 'a/b' })] }, /models\[0\]\.name: expected a name .* found "a\/b"/],
    [
      'a version that is a number',
      { models: [model({ version: 2 })] },
      /models\[0\]\.version: expected string, found 2/,
    ],
    ['a version with blanks', { models: [model({ version: '1 2' })] }, /models\[0\]\.version: expected a version/],
    [
      'a plan above the folder',
      { models: [model({ plan: 'b/../../a.plan' })] },
      /models\[0\]\.plan: .*without \.\., found/,
    ],
    ['a plan at a place of its own', { models: [model({ plan: '/etc/passwd' })] }, /models\[0\]\.plan: expected/],
    ['an empty plan', { models: [model({ plan: '' })] }, /models\[0\]\.plan: expected/],
    ['no threads', { models: [model({ threads: 0 })] }, /models\[0\]\.threads: expected at least 1, found 0/],
    ['half a request', { models: [model({ queue: 1.5 })] }, /models\[0\]\.queue: expected int, found 1\.5/],
    ['a timeout of hours', { models: [model({ timeoutMs: 1e8 })] }, /models\[0\]\.timeoutMs: expected at most 3600000/],
    [
      'a version twice',
      { models: [model(), model()] },
      /models\[1\]: expected a version of its own, found a version 1/,
    ],
  ])('%s', async (_, content, text) => {
    write(content);
    await expect(folderCatalogue(folder).entries()).rejects.toMatchObject({
      code: 'E_CATALOGUE',
      message: expect.stringMatching(text),
    });
    await expect(folderCatalogue(folder).entries()).rejects.toThrow(join(folder, 'catalogue.json'));
  });

  test('text that is no JSON', async () => {
    writeFileSync(join(folder, 'catalogue.json'), '{"models": [');
    await expect(folderCatalogue(folder).entries()).rejects.toMatchObject({ code: 'E_CATALOGUE' });
  });

  test('a folder without plans, and none', async () => {
    await expect(folderCatalogue(folder).entries()).rejects.toThrow(
      /expected catalogue.json or files .* found nothing/,
    );
    await expect(folderCatalogue(join(folder, 'no')).entries()).rejects.toMatchObject({ code: 'E_FILE_NOT_FOUND' });
  });

  test.each<[what: string, make: (path: string) => void, code: string]>([
    ['a link out of the folder', (path) => symlinkSync('/etc/passwd', path), 'E_CATALOGUE'],
    ['a link that leads nowhere', (path) => symlinkSync('b.plan', path), 'E_FILE_NOT_FOUND'],
    ['a folder instead of a plan', (path) => mkdirSync(path), 'E_CATALOGUE'],
    ['a plan that is not there', () => {}, 'E_FILE_NOT_FOUND'],
  ])('%s', async (_, make, code) => {
    make(join(folder, 'a.plan'));
    write({ models: [model()] });
    const catalogue = folderCatalogue(folder);
    const [entry] = await catalogue.entries();
    await expect(catalogue.locate(entry)).rejects.toMatchObject({ code });
  });
});

test('a link inside the folder is followed', async () => {
  writeFileSync(join(folder, 'b.plan'), '');
  symlinkSync('b.plan', join(folder, 'a.plan'));
  const catalogue = folderCatalogue(folder);
  const [entry] = await catalogue.entries();
  expect(await catalogue.locate(entry)).toMatch(/\/b\.plan$/);
});

describe('what is loaded and unloaded', () => {
  test('is written into the catalogue, which stays as it was else', async () => {
    write({ models: [{ plan: 'a.plan', name: 'a' }, model({ version: '2', threads: 2 })] });
    const catalogue = folderCatalogue(folder);
    await catalogue.setLoaded('a', '2', false);
    expect(read().models).toEqual([
      { plan: 'a.plan', name: 'a' },
      { name: 'a', plan: 'a.plan', version: '2', threads: 2, loaded: false },
    ]);
    expect(readdirSync(folder)).toEqual(['catalogue.json']);
  });

  test('makes a catalogue where there was none, once something changes', async () => {
    writeFileSync(join(folder, 'a.plan'), '');
    const catalogue = folderCatalogue(folder);
    await catalogue.setLoaded('a', '1', true);
    expect(existsSync(join(folder, 'catalogue.json'))).toBe(false);
    await catalogue.setLoaded('a', '1', false);
    expect(read()).toEqual({ models: [{ name: 'a', plan: 'a.plan', loaded: false }] });
  });

  test('is refused where it cannot be written', async () => {
    writeFileSync(join(folder, 'a.plan'), '');
    mkdirSync(join(folder, 'catalogue.json.part'));
    await expect(folderCatalogue(folder).setLoaded('a', '1', false)).rejects.toMatchObject({ code: 'E_FILE_WRITE' });
    expect(existsSync(join(folder, 'catalogue.json'))).toBe(false);
  });
});

describe('an agent over a folder', () => {
  let agent: Agent;
  afterEach(() => agent.close());
  const token = 'a token of some length';
  const change = (path: string, body = '{}') =>
    send(agent.url, path, { method: 'POST', body, headers: { authorization: `Bearer ${token}` } });

  test('serves what opens and says why the rest does not', async () => {
    writeFileSync(join(folder, 'tiny.plan'), tinyPlan());
    writeFileSync(join(folder, 'broken.plan'), 'HONEPLAN and no more');
    symlinkSync('/etc/hostname', join(folder, 'outside.plan'));
    agent = await startAgent({ folder });
    expect(await agent.index()).toEqual([
      { name: 'broken', version: '1', state: 'UNAVAILABLE', reason: expect.stringMatching(/plan/) },
      { name: 'outside', version: '1', state: 'UNAVAILABLE', reason: expect.stringMatching(/inside the folder/) },
      { name: 'tiny', version: '1', state: 'READY', reason: '' },
    ]);
    expect((await send(agent.url, INFER, { body: jsonRequest() })).status).toBe(200);
  });

  test('is ready when all were tried, not before', async () => {
    for (const name of ['one', 'three', 'two']) writeFileSync(join(folder, `${name}.plan`), tinyPlan());
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const started = startAgent({ folder, port });
    const ready = async () => (await send(url, '/v2/health/ready').catch(() => undefined))?.status === 200;
    while (!(await ready()));
    const { models } = (await send(url, '/v2/models')).json();
    agent = await started;
    expect(models).toEqual(['one', 'three', 'two'].map((name) => ({ name, versions: ['1'] })));
  });

  test('loads and unloads versions, takes the newest, and remembers it', async () => {
    writeFileSync(join(folder, 'tiny.plan'), tinyPlan());
    const of = (version: string, loaded: boolean) => ({ name: 'tiny', version, plan: 'tiny.plan', loaded });
    write({ models: [of('2', true), of('10', false)] });
    agent = await startAgent({ folder, token });
    const served = async () => (await send(agent.url, INFER, { body: jsonRequest() })).json().model_version;
    expect(await served()).toBe('2');
    expect((await change('/v2/repository/models/tiny/load')).status).toBe(200);
    expect(await served()).toBe('10');
    expect((await change('/v2/repository/models/tiny/unload', '{"parameters":{"version":"2"}}')).status).toBe(200);
    expect(read().models).toEqual([of('2', false), of('10', true)]);
    await agent.close();
    agent = await startAgent({ folder, token });
    expect(await agent.index()).toMatchObject([{ reason: 'unloaded' }, { state: 'READY' }]);
    // Everything of the model, also what the catalogue holds no more.
    write({ models: [of('2', false)] });
    expect(await agent.index()).toMatchObject([{ version: '2' }, { version: '10', state: 'READY' }]);
    expect((await change('/v2/repository/models/tiny/unload')).status).toBe(200);
    expect((await send(agent.url, INFER, { body: jsonRequest() })).status).toBe(404);
    expect(await agent.index()).toMatchObject([{ version: '2', state: 'UNAVAILABLE' }]);
  });

  test('a load that cannot be remembered is undone', async () => {
    writeFileSync(join(folder, 'tiny.plan'), tinyPlan());
    write({ models: [{ name: 'tiny', plan: 'tiny.plan', loaded: false }] });
    mkdirSync(join(folder, 'catalogue.json.part'));
    agent = await startAgent({ folder, token });
    const refused = await change('/v2/repository/models/tiny/load');
    expect(refused.json()).toMatchObject({ code: 'E_FILE_WRITE' });
    expect(await agent.index()).toMatchObject([{ state: 'UNAVAILABLE', reason: 'unloaded' }]);
  });
});
