import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent } from '../../lib/agent/agent';
import { serveFolder } from '../../lib/agent/serve-folder';
import { blobOf, blobOfFile } from '../../lib/boards/blob-source';
import { BoardConnection } from '../../lib/boards/board-connection';
import { version } from '../../lib/engine/version';
import { A, B, expectedOutputs, tinyPlan } from '../agent/served';
import { overChild, overMemory, overTcp, type Way } from './ends';

let root: string;
let agent: Agent | undefined;
const ways: { board: BoardConnection; over: Promise<unknown> }[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hone-board-'));
});
afterEach(async () => {
  for (const { board, over } of ways.splice(0)) {
    board.close();
    await over;
  }
  await agent?.close();
  agent = undefined;
  rmSync(root, { recursive: true });
});

async function open(way: (folder: string) => Promise<Way> = overMemory): Promise<BoardConnection> {
  const { stream, over } = await way(root);
  const board = await BoardConnection.open(stream, 'the board');
  ways.push({ board, over });
  return board;
}
const blobPath = (sha256: string) => join(root, 'blobs', 'sha256', sha256);
const placement = (sha256: string, more: object = {}) => ({ name: 'tiny', version: '1', sha256, ...more });

describe.each([
  ['memory', overMemory],
  ['TCP', overTcp],
  ['the pipes of a process', overChild],
])('over %s', (_, way) => {
  test('a plan is sent, placed, asked, watched, seen and unloaded', async () => {
    agent = await serveFolder(root, {});
    const board = await open(way);
    expect(board.greeting).toMatchObject({ version: version(), platform: `${process.platform}-${process.arch}` });
    const plan = blobOf(tinyPlan());
    expect(await board.missingBlobs([plan.sha256])).toEqual([plan.sha256]);
    expect(await board.upload(plan)).toBe(plan.size);
    expect(await board.missingBlobs([plan.sha256])).toEqual([]);
    await board.placeModel(placement(plan.sha256, { threads: 2, queue: 8 }));
    expect(await board.list()).toEqual([{ name: 'tiny', version: '1', state: 'READY', reason: '' }]);
    expect(JSON.parse(readFileSync(join(root, 'catalogue.json'), 'utf8'))).toEqual({
      models: [{ name: 'tiny', version: '1', threads: 2, queue: 8, plan: `blobs/sha256/${plan.sha256}`, loaded: true }],
    });
    const client = await board.agentClient();
    expect(await client.infer('tiny', { a: A, b: B })).toEqual(expectedOutputs());
    for await (const frame of client.telemetry()) {
      expect(frame).toMatchObject({ version: expect.anything() });
      break;
    }
    expect((await board.status()).models).toMatchObject([{ name: 'tiny', state: 'ready' }]);
    await board.unload('tiny');
    expect(await board.list()).toMatchObject([{ state: 'UNAVAILABLE' }]);
    await board.load('tiny', '1');
    expect(await client.infer('tiny', { a: A, b: B })).toEqual(expectedOutputs());
    client.close();
  });

  test('megabytes go through a tunnel and as a blob while others ask', async () => {
    agent = await serveFolder(root, {});
    const board = await open(way);
    const bytes = randomBytes(3_000_001);
    const upload = board.upload(blobOf(bytes));
    const facts = await board.facts();
    expect(facts).toMatchObject({ version: version(), node: process.version, cpu: { count: expect.any(Number) } });
    expect(facts.readings.every(({ value, reason }) => value !== null || reason !== undefined)).toBe(true);
    expect(await upload).toBe(bytes.length);
    const client = await board.agentClient();
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.status()));
    expect(new Set(answers.map(({ pid }) => pid))).toEqual(new Set([process.pid]));
    client.close();
    expect(bytes.equals(readFileSync(blobPath(createHash('sha256').update(bytes).digest('hex'))))).toBe(true);
  });
});

test('without an agent blobs arrive, and what needs one is refused with a code of its own', async () => {
  const board = await open();
  const plan = blobOf(tinyPlan());
  await board.upload(plan);
  for (const need of [
    () => board.placeModel(placement(plan.sha256)),
    () => board.list(),
    () => board.load('tiny'),
    () => board.unload('tiny'),
    () => board.status(),
  ])
    await expect(need()).rejects.toMatchObject({ code: 'E_AGENT_DOWN', details: { folder: root } });
  const tunnel = board.openTunnel();
  const error = await new Promise((resolve) => tunnel.once('error', resolve));
  expect(error).toMatchObject({ code: 'E_AGENT_DOWN' });
});

test('an agent that starts again at another port is found by the next tunnel', async () => {
  agent = await serveFolder(root, {});
  const board = await open();
  const told = async () => {
    const client = await board.agentClient();
    const { url } = await client.status();
    client.close();
    return url;
  };
  expect(await told()).toBe(agent.url);
  await agent.close();
  agent = await serveFolder(root, {});
  expect(await told()).toBe(agent.url);
});

describe('a model that runs', () => {
  test.each<[what: string, sha256: (board: BoardConnection) => Promise<string>, settings: object, code: string]>([
    ['a plan that is not there', async () => 'ab'.repeat(32), {}, 'E_BLOB_UNKNOWN'],
    [
      'bytes that are no plan',
      async (board) => {
        const odd = blobOf(Buffer.from('no plan'));
        await board.upload(odd);
        return odd.sha256;
      },
      {},
      'E_PLAN_FORMAT',
    ],
    ['settings that are none', async () => blobOf(tinyPlan()).sha256, { threads: 1000 }, 'E_CATALOGUE'],
    ['a version that is none', async () => blobOf(tinyPlan()).sha256, { version: '../1' }, 'E_CATALOGUE'],
    ['a setting that is not known', async () => blobOf(tinyPlan()).sha256, { thread: 1 }, 'E_FRAME_FORMAT'],
  ])('goes on where it is to be replaced by %s', async (_, sha256, settings, code) => {
    agent = await serveFolder(root, {});
    const board = await open();
    const plan = blobOf(tinyPlan());
    await board.upload(plan);
    await board.placeModel(placement(plan.sha256));
    const before = readFileSync(join(root, 'catalogue.json'), 'utf8');
    const digest = await sha256(board);
    await expect(board.placeModel({ ...placement(digest), ...settings })).rejects.toMatchObject({ code });
    const client = await board.agentClient();
    expect(await client.infer('tiny', { a: A, b: B })).toEqual(expectedOutputs());
    client.close();
    expect(readFileSync(join(root, 'catalogue.json'), 'utf8')).toBe(before);
  });

  test('answers without a gap while it is replaced', async () => {
    agent = await serveFolder(root, {});
    const board = await open();
    const plan = blobOf(tinyPlan());
    await board.upload(plan);
    await board.placeModel(placement(plan.sha256));
    const client = await board.agentClient();
    const pids = new Set<number | null>();
    let isOver = false;
    const replaced = (async () => {
      for (const threads of [2, 1, 2]) await board.placeModel(placement(plan.sha256, { threads }));
      isOver = true;
    })();
    let count = 0;
    while (!isOver) {
      expect(await client.infer('tiny', { a: A, b: B })).toEqual(expectedOutputs());
      pids.add((await board.status()).models[0].pid);
      count++;
    }
    await replaced;
    expect(count).toBeGreaterThan(1);
    pids.add((await board.status()).models[0].pid);
    expect(pids.size).toBeGreaterThan(1);
    client.close();
  });
});

test('a second deploy sends what changed alone', async () => {
  agent = await serveFolder(root, {});
  const shared = blobOf(randomBytes(2_000_000));
  const plan = blobOf(tinyPlan());
  const deploy = async (changed: Uint8Array) => {
    const { stream, over } = await overMemory(root);
    let wire = 0;
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = ((chunk: Uint8Array, ...rest: unknown[]) => {
      wire += chunk.length;
      return write(chunk, ...rest);
    }) as typeof stream.write;
    stream.on('data', ({ length }: Uint8Array) => {
      wire += length;
    });
    const board = await BoardConnection.open(stream, 'the board');
    for (const blob of [shared, plan, blobOf(changed)]) await board.upload(blob);
    await board.placeModel(placement(plan.sha256));
    await board.status();
    board.close();
    await over;
    return wire;
  };
  expect(await deploy(randomBytes(100))).toBeGreaterThan(2_000_000);
  expect(await deploy(randomBytes(50_000))).toBeLessThanOrEqual(50_000 + (16 << 10));
});

test('blobs that no model uses go, but not those that somebody has just sent', async () => {
  agent = await serveFolder(root, {});
  const board = await open();
  const [plan, old, young] = [tinyPlan(), randomBytes(1000), randomBytes(500)].map(blobOf);
  for (const blob of [plan, old, young]) await board.upload(blob);
  await board.placeModel(placement(plan.sha256));
  for (const { sha256 } of [plan, old]) utimesSync(blobPath(sha256), 1e9, 1e9);
  writeFileSync(join(root, 'blobs', 'sha256', 'notes'), 'of a person');
  expect(await board.prune()).toEqual({ blobs: 1, bytes: 1000 });
  expect(readdirSync(join(root, 'blobs', 'sha256')).sort()).toEqual(['notes', plan.sha256, young.sha256].sort());
});

test('the log is told from its end, line by line, with nothing in it that moves a terminal', async () => {
  const board = await open();
  expect(await board.logs()).toEqual([]);
  writeFileSync(join(root, 'logs', 'agent.log'), `${'x'.repeat(300_000)}\nlast \u001b[2J\nline\n`);
  expect(await board.logs()).toEqual(['last \\x1b[2J', 'line']);
  expect(await board.logs(6)).toEqual(['line']);
});

test('a file is sent as it is, and one that is missing is told', async () => {
  const path = join(root, 'file');
  const bytes = randomBytes(700_000);
  writeFileSync(path, bytes);
  const board = await open();
  const blob = await blobOfFile(path);
  expect(await board.upload(blob)).toBe(700_000);
  await blob.close();
  expect(bytes.equals(readFileSync(blobPath(blob.sha256)))).toBe(true);
  await expect(blobOfFile(join(root, 'none'))).rejects.toMatchObject({ code: 'E_FILE_NOT_FOUND' });
  await expect(blobOfFile(root)).rejects.toMatchObject({ code: 'E_FILE_FOLDER' });
});

test('progress tells bytes, rate and time left by the clock that it is given', async () => {
  const board = await open();
  let ms = 0;
  const seen: (number | null)[][] = [];
  const blob = blobOf(randomBytes(600_000));
  await board.upload(blob, {
    now: () => ms,
    onProgress: ({ bytes, size, rate, secondsLeft }) => {
      seen.push([bytes, size, rate, secondsLeft]);
      ms += 1000;
    },
  });
  expect(seen).toEqual([
    [262_144, 600_000, null, null],
    [524_288, 600_000, 524_288, (600_000 - 524_288) / 524_288],
    [600_000, 600_000, 300_000, 0],
  ]);
});

test('an empty blob is one, too; the child ends when its input does', async () => {
  const { stream, over } = await overChild(root);
  const board = await BoardConnection.open(stream, 'the board');
  const empty = blobOf(new Uint8Array(0));
  expect(await board.upload(empty)).toBe(0);
  expect(existsSync(blobPath(empty.sha256))).toBe(true);
  board.close();
  expect(await over).toBe(0);
});
