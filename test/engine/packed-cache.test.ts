import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlanArray, SessionLoad } from '../../lib/engine/addon';
import { packedCacheFolder } from '../../lib/engine/packed-cache-folder';
import { openSession, type SessionOptions } from '../../lib/engine/session';
import { writePlan } from '../../lib/plan/writer';
import { everyOperation } from './every-operation';
import { PlanBuilder, ramp, smallNetwork } from './plans';

const PLAN = network().write();

/** A convolution and a fully connected layer: every weight shows in the output. */
function network(channels = 8): PlanBuilder {
  const b = new PlanBuilder();
  const grid = { scale: 0.5, zeroPoint: 0 };
  const image = [1, 4, 4, channels];
  const [x, y] = [b.input('x', 'int8', image, grid), b.output('y', 'int8', [1, 16], grid)];
  const hidden = b.arena('int8', image, grid);
  const around = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], pad: [1, 1] } as const;
  const weights = (dims: readonly number[]) => [
    b.constant(
      Int8Array.from({ length: dims.reduce((a, c) => a * c) }, (_, i) => ((i * 37) % 61) - 30),
      dims,
    ),
    b.constant(new Int32Array(dims[0])),
    b.constant(new Float32Array(dims[0]).fill(0.002)),
  ];
  const params = { window: around, groups: 1 };
  b.node({ op: 'conv_s8', outputs: [hidden], inputs: [x, ...weights([channels, 3, 3, channels])], params });
  const inputs = [hidden, ...weights([16, 16 * channels])];
  return b.node({ op: 'fc_s8', outputs: [y], inputs, params: {} });
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-packed-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Opened {
  readonly load: SessionLoad;
  readonly packedBytes: number;
  readonly cachedBytes: number;
  readonly outputs: string;
}

/** Opens a plan as a process of its own would: nothing of it is open before, nothing after. */
function open(plan: Uint8Array | string, options: SessionOptions = { packedCache: folder }): Opened {
  const session = openSession(plan, options);
  try {
    const feeds = session.inputs.map(({ name, type, length }): [string, PlanArray] => [name, feed(type, length)]);
    const outputs = Object.values(session.run(Object.fromEntries(feeds)));
    const hex = outputs.map(({ buffer }) => Buffer.from(buffer).toString('hex')).join();
    const { packedBytes, cachedBytes } = session.memory;
    return { load: session.load, packedBytes, cachedBytes, outputs: hex };
  } finally {
    session.close();
  }
}

function feed(type: string, length: number): PlanArray {
  if (type === 'float32') return ramp(length);
  if (type === 'int64') return new BigInt64Array(length);
  return { int8: Int8Array, uint8: Uint8Array, bool: Uint8Array, int32: Int32Array, float16: Uint16Array }[
    type as 'int8'
  ].from({ length }, (_, i) => (type === 'int8' ? i * 11 : 1));
}

/** The one file of the cache. */
function cacheFile(): string {
  const files = readdirSync(folder);
  expect(files).toHaveLength(1);
  return join(folder, files[0]);
}

const PLANS = {
  'two layers': PLAN,
  'a small network': smallNetwork().write(),
  'every operation': everyOperation().write(),
};

describe.each(Object.entries(PLANS))('%s', (_, plan) => {
  const plain = open(plan, { packedCache: false });

  test('is packed once, then mapped, with equal outputs', () => {
    expect(plain.load).toEqual({ us: expect.any(Number), cache: 'off' });
    const [first, second, third] = [open(plan), open(plan), open(plan)];
    expect([first, second, third].map(({ load }) => load.cache)).toEqual(['written', 'read', 'read']);
    expect([first.cachedBytes, second.cachedBytes]).toEqual([0, second.packedBytes]);
    for (const { outputs, packedBytes } of [first, second, third])
      expect({ outputs, packedBytes }).toEqual({ outputs: plain.outputs, packedBytes: plain.packedBytes });
    expect(statSync(cacheFile()).mode & 0o777).toBe(0o600);
  });

  test('by path as by bytes', () => {
    const path = join(folder, 'a.plan');
    const packedCache = join(folder, 'cache');
    writeFileSync(path, plan);
    expect(open(path, { packedCache }).load.cache).toBe('written');
    expect(open(plan, { packedCache }).load.cache).toBe('read');
    expect(open(path, { packedCache })).toMatchObject({ load: { cache: 'read' }, outputs: plain.outputs });
  });
});

const { outputs: EXPECTED, packedBytes: PACKED } = open(PLAN, { packedCache: false });

/** Ways in which a file is not the one that was written. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'nothing in it': (path) => writeFileSync(path, ''),
  'the head alone': (path) => writeFileSync(path, readFileSync(path).subarray(0, 104)),
  half: (path) => writeFileSync(path, readFileSync(path).subarray(0, statSync(path).size / 2)),
  'one byte less': (path) => writeFileSync(path, readFileSync(path).subarray(0, -1)),
  'a block more': (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(64)])),
  'zeros of the same length': (path) => writeFileSync(path, Buffer.alloc(statSync(path).size)),
  'another version': (path) => patch(path, 8, 1),
  'the file of another plan': (path) => {
    const others = join(folder, 'others');
    open(network(16).write(), { packedCache: others });
    renameSync(join(others, readdirSync(others)[0]), path);
    rmSync(others, { recursive: true });
  },
  'writable for others': (path) => chmodSync(path, 0o622),
  'a link to a good file': (path) => {
    renameSync(path, `${path}.good`);
    symlinkSync(`${path}.good`, path);
  },
};

function patch(path: string, at: number, value?: number): void {
  const bytes = readFileSync(path);
  bytes[at] = value ?? bytes[at] ^ 0x40;
  writeFileSync(path, bytes);
}

describe('a file that is not believed is replaced:', () => {
  test.each(Object.entries(DAMAGES))('%s', (_, damage) => {
    open(PLAN);
    damage(cacheFile());
    expect(open(PLAN)).toMatchObject({ load: { cache: 'written' }, cachedBytes: 0, outputs: EXPECTED });
    expect(open(PLAN)).toMatchObject({ load: { cache: 'read' }, cachedBytes: PACKED, outputs: EXPECTED });
  });

  (process.getuid?.() === 0 ? test : test.skip)('of another user (needs root)', () => {
    open(PLAN);
    chownSync(cacheFile(), 1, 1);
    expect(open(PLAN)).toMatchObject({ load: { cache: 'written' }, outputs: EXPECTED });
    expect(statSync(cacheFile()).uid).toBe(0);
  });

  test('a byte changed anywhere: packed anew, or a byte between blocks', () => {
    open(PLAN);
    const good = readFileSync(cacheFile());
    let refused = 0;
    for (let at = 0; at < good.length; at += at < 128 ? 1 : 151) {
      const path = cacheFile();
      writeFileSync(path, good);
      patch(path, at);
      const { load, outputs } = open(PLAN);
      expect({ at, outputs }).toEqual({ at, outputs: EXPECTED });
      if (load.cache === 'written') refused++;
      else expect({ at, byte: good[at] }).toEqual({ at, byte: 0 });
    }
    expect(refused).toBeGreaterThan(100);
  });
});

/** A plan of the same name, length and checksum as PLAN, with other weights. */
function forge(): Uint8Array {
  // Changes by a multiple of the polynomial leave a CRC as it is: x^32, then the bits of 0xEDB88320 from the lowest.
  const other = PLAN.slice();
  const weights = Number(new DataView(other.buffer).getBigUint64(208, true));
  for (const [i, bits] of [0x41, 0x06, 0x71, 0xdb, 0x01].entries()) other[weights + i] ^= bits;
  return other;
}

test('a plan of the same name, length and checksum gets no weights of another', () => {
  const other = forge();
  const { outputs } = open(other, { packedCache: false });
  expect(outputs).not.toBe(EXPECTED);
  for (const [plan, expected] of [
    [PLAN, EXPECTED],
    [other, outputs],
    [PLAN, EXPECTED],
  ] as const) {
    expect(open(plan)).toMatchObject({ load: { cache: 'written' }, outputs: expected });
    expect(readdirSync(folder)).toHaveLength(1);
  }
});

test('a plan is looked through until its file has rested; a change of the file shows', async () => {
  const path = join(folder, 'a.plan');
  const packedCache = join(folder, 'cache');
  const states = () => [0, 1].map(() => open(path, { packedCache }).load.cache);
  const stamp = () => readFileSync(join(packedCache, readdirSync(packedCache)[0])).subarray(64, 104);
  writeFileSync(path, PLAN);
  expect(states()).toEqual(['written', 'read']);
  expect(stamp()).toEqual(Buffer.alloc(40));
  const rest = () => new Promise((resolve) => setTimeout(resolve, 3100));
  await rest();
  // Once more, with the stamp of a file that has not been changed for 3 s.
  expect(states()).toEqual(['written', 'read']);
  expect(stamp().readBigUInt64LE(16)).toBe(BigInt(PLAN.length));
  expect(open(path, { packedCache }).outputs).toBe(EXPECTED);
  const other = forge();
  const { outputs } = open(other, { packedCache: false });
  writeFileSync(path, other);
  await rest();
  expect(open(path, { packedCache })).toMatchObject({ load: { cache: 'written' }, outputs });
  // Bytes have no file.
  expect(open(PLAN, { packedCache })).toMatchObject({ load: { cache: 'written' }, outputs: EXPECTED });
});

test('variants and instruction sets of a plan share one file', () => {
  const builders = [network(), network()];
  const plan = writePlan({ ...builders[0].describe(), variants: builders.map((b, i) => b.variant(`v${i}`)) });
  const packedCache = folder;
  expect(open(plan).load.cache).toBe('written');
  expect(open(plan, { packedCache, variant: 1 }).load.cache).toBe('read');
  expect(open(plan, { packedCache, cpu: 'ref' }).load.cache).toBe('written');
  for (const cpu of ['', 'ref'])
    expect(open(plan, { packedCache, cpu })).toMatchObject({ load: { cache: 'read' }, outputs: EXPECTED });
  expect(readdirSync(folder)).toHaveLength(1);
});

test('a model that is open without a cache gets it from the next who asks', () => {
  using first = openSession(PLAN, { packedCache: false });
  using second = openSession(PLAN, { packedCache: folder });
  expect([first.load.cache, second.load.cache]).toEqual(['off', 'written']);
  expect(readdirSync(folder)).toHaveLength(1);
});

describe('where no file can be written everything works, and the session says why:', () => {
  test.each<[string, () => string, RegExp]>([
    ['below a file, which is none', () => writeInto('file', '/below'), /Not a directory/],
    ['a file system that takes no files', () => '/proc/hone', /the folder|a new file/],
    ['a folder in the place of the file', () => occupied(), /renaming/],
  ])('%s', (_, place, reason) => {
    const packedCache = place();
    const { load, outputs } = open(PLAN, { packedCache });
    expect(load).toEqual({ us: expect.any(Number), cache: 'failed', reason: expect.stringMatching(reason) });
    expect(outputs).toBe(EXPECTED);
    // Nothing is left of the attempt.
    if (existsSync(folder)) expect(readdirSync(folder).filter((name) => /packed\./.test(name))).toEqual([]);
  });

  function writeInto(name: string, rest: string): string {
    writeFileSync(join(folder, name), '');
    return join(folder, name) + rest;
  }

  function occupied(): string {
    open(PLAN);
    const path = cacheFile();
    rmSync(path);
    mkdirSync(path);
    return folder;
  }
});

test('processes that write, damage and remove the file at the same time get the same outputs', async () => {
  const path = join(folder, 'small.plan');
  writeFileSync(path, PLAN);
  const cache = join(folder, 'cache');
  const script = join(folder, 'open.cjs');
  writeFileSync(
    script,
    `const { readdirSync, rmSync, truncateSync, writeFileSync } = require('node:fs');
    const { Session } = require(${JSON.stringify(addonPath())});
    const outputs = new Set();
    for (let i = 0; i < 60; i++) {
      const session = new Session(${JSON.stringify(path)},
        { threads: 1, cpu: '', profileEvery: 0, variant: 0, cache: ${JSON.stringify(cache)} });
      const x = new Int8Array(128).map((_, k) => k * 11), y = new Int8Array(16);
      session.bind([x], [y]);
      session.run();
      session.close();
      outputs.add(Buffer.from(y.buffer).toString('hex'));
      try {
        const [file] = readdirSync(${JSON.stringify(cache)}).filter((name) => name.endsWith('.packed'));
        if (file === undefined) continue; // Another has removed it.
        if (i % 4 === 1) rmSync(${JSON.stringify(`${cache}/`)} + file);
        if (i % 4 === 3) {
          writeFileSync(${JSON.stringify(`${cache}/`)} + process.pid, Buffer.alloc(5000, i));
          require('node:fs').renameSync(${JSON.stringify(`${cache}/`)} + process.pid, ${JSON.stringify(`${cache}/`)} + file);
        }
      } catch {}
    }
    console.log([...outputs].join());`,
  );
  const runs = await Promise.all([0, 1, 2, 3].map(() => outputOf(script)));
  expect(runs).toEqual(Array(4).fill({ code: 0, text: EXPECTED }));
  const left = readdirSync(cache).filter((name) => !name.endsWith('.packed'));
  expect(left).toEqual([]);
});

function addonPath(): string {
  return join(__dirname, '../../build', `${process.platform}-${process.arch}`, 'Release/hone.node');
}

function outputOf(script: string): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    child.on('close', (code) => resolve({ code, text: text.trim() }));
  });
}

describe('packedCacheFolder', () => {
  test.each<[string, boolean | string | undefined, NodeJS.ProcessEnv, string]>([
    ['off by default', undefined, { XDG_CACHE_HOME: '/tmp/x' }, ''],
    ['HONE_CACHE turns it on', undefined, { HONE_CACHE: '@/a' }, '@/a'],
    ['an empty HONE_CACHE does not', undefined, { HONE_CACHE: '' }, ''],
    ['false turns it off', false, { HONE_CACHE: '@/a' }, ''],
    ['true means HONE_CACHE', true, { HONE_CACHE: '@/a', XDG_CACHE_HOME: '@/x' }, '@/a'],
    ['or the folder of the user', true, { XDG_CACHE_HOME: '@/x' }, '@/x/hone/packed'],
    ['a folder is one', '@/b', { HONE_CACHE: '@/a' }, '@/b'],
  ])('%s', (_, given, env, expected) => {
    const at = (text: string) => text.replace('@', folder);
    const filled = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, at(value!)]));
    const found = packedCacheFolder(typeof given === 'string' ? at(given) : given, filled);
    expect(found).toBe(at(expected));
  });

  test.each([[''], [1], [null]])('refuses %p', (given) => {
    expect(() => openSession(PLAN, { packedCache: given as string })).toThrow(
      expect.objectContaining({ code: 'E_OPTION_VALUE' }),
    );
  });
});
