import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HoneError } from '../../lib/core/error';
import { loadAddon } from '../../lib/engine/addon';
import { openSession, type Session } from '../../lib/engine/session';
import { GRID, PlanBuilder, smallNetwork } from './plans';

type Outcome = { readonly code: string; readonly message: string } | undefined;

/** What is thrown, or what a promise is rejected with. */
async function outcomeOf(work: () => unknown): Promise<Outcome> {
  try {
    await work();
  } catch (error) {
    const { code, message } = error as HoneError;
    return { code, message };
  }
  return undefined;
}

/** y = z = x + x over 64 KiB and one byte: two outputs. */
function doubling(): Uint8Array {
  const b = new PlanBuilder();
  const x = b.input('x', 'int8', [1, 8192], GRID);
  const outputs = ['y', 'z'].map((name) => b.output(name, 'int8', [1, 8192], GRID));
  for (const y of outputs) b.node({ op: 'binary_s8', outputs: [y], inputs: [x, x], params: { operation: 'add' } });
  return b.write();
}

const LENGTH = 8192;
const bytes = () => new Int8Array(LENGTH).fill(5);
const transfer = (array: Int8Array) => structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
/** An array that says to be 4 GiB long, of which nothing is there but its length. */
const huge = () => {
  const array = bytes();
  Object.defineProperty(array, 'length', { value: 2 ** 32 });
  return array;
};
const within = (buffer: ArrayBuffer, at: number) => new Int8Array(buffer, at, LENGTH);
const block = () => new ArrayBuffer(3 * LENGTH);

const CASES: readonly (readonly [what: string, code: string, says: RegExp, work: (s: Session) => unknown])[] = [
  [
    'a shape that was not declared',
    'E_INPUT_SHAPE',
    /x.*8192/,
    (s) => s.run({ x: { data: bytes(), dims: [8192, 1] } }),
  ],
  ['a rank that was not declared', 'E_INPUT_SHAPE', /x/, (s) => s.run({ x: { data: bytes(), dims: [1, 1, 8192] } })],
  ['the same beside the thread', 'E_INPUT_SHAPE', /x/, (s) => s.runAsync({ x: { data: bytes(), dims: [2, 4096] } })],
  ['no bytes', 'E_INPUT_LENGTH', /8192.*0|0.*8192/, (s) => s.run({ x: new Int8Array(0) })],
  ['no bytes beside the thread', 'E_INPUT_LENGTH', /x/, (s) => s.runAsync({ x: new Int8Array(0) })],
  [
    'no bytes for an output',
    'E_OUTPUT_LENGTH',
    /y/,
    (s) => s.bind({ x: bytes() }, { y: new Int8Array(0), z: bytes() }),
  ],
  ['a length of 4 GiB', 'E_INPUT_LENGTH', /4294967296/, (s) => s.run({ x: huge() })],
  ['a shape of 4 GiB', 'E_INPUT_SHAPE', /x/, (s) => s.run({ x: { data: bytes(), dims: [1, 2 ** 32] } })],
  [
    'an input as output',
    'E_OUTPUT_OVERLAP',
    /y/,
    (s) => {
      const x = bytes();
      s.bind({ x }, { y: x, z: bytes() });
    },
  ],
  [
    'an output that begins in the input',
    'E_OUTPUT_OVERLAP',
    /z/,
    (s) => {
      const all = block();
      s.bind({ x: within(all, 0) }, { y: bytes(), z: within(all, LENGTH - 1) });
    },
  ],
  [
    'one array for both outputs',
    'E_OUTPUT_OVERLAP',
    /z/,
    (s) => {
      const y = bytes();
      s.bind({ x: bytes() }, { y, z: y });
    },
  ],
  [
    'outputs with a byte in common',
    'E_OUTPUT_OVERLAP',
    /z/,
    (s) => {
      const all = block();
      s.bind({ x: bytes() }, { y: within(all, 0), z: within(all, LENGTH - 1) });
    },
  ],
  [
    'an input that was moved away',
    'E_INPUT_LENGTH',
    /x/,
    (s) => {
      const x = bytes();
      transfer(x);
      return s.runAsync({ x });
    },
  ],
];

describe('a call that cannot be answered is refused, and the session goes on', () => {
  test.each(CASES)('%s', async (_, code, says, work) => {
    using session = openSession(doubling());
    const [found] = [await outcomeOf(() => work(session))];
    expect(found).toEqual({ code, message: expect.stringMatching(says) });
    const expected = session.run({ x: bytes() });
    expect(await session.runAsync({ x: bytes() })).toEqual(expected);
    expect(expected.y).toEqual(expected.z);
  });

  test('arrays that touch but share nothing are taken', () => {
    using session = openSession(doubling());
    const all = block();
    const [x, y, z] = [0, 1, 2].map((i) => within(all, i * LENGTH));
    x.fill(5);
    session.bind({ x }, { y, z })();
    expect(y).toEqual(session.run({ x: bytes() }).y);
  });

  test('buffers that are moved away or shrink while a run is under way change nothing', async () => {
    using session = openSession(doubling());
    const expected = session.run({ x: bytes() });
    const moved = bytes();
    const running = session.runAsync({ x: moved });
    transfer(moved);
    expect(moved).toHaveLength(0);
    expect(await running).toEqual(expected);
    const Resizable = ArrayBuffer as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;
    const shrinking = new Int8Array(new Resizable(LENGTH, { maxByteLength: LENGTH })).fill(5);
    // Memory that may shrink is not taken at all: nothing could be said of a run that had begun.
    expect(await outcomeOf(() => session.runAsync({ x: shrinking }))).toMatchObject({ code: 'E_INPUT_TYPE' });
    expect(await session.runAsync({ x: bytes() })).toEqual(expected);
  });
});

describe('options that no session can have', () => {
  test.each<[string, object, string, RegExp]>([
    ['no threads', { threads: 0 }, 'E_OPTION_VALUE', /threads.*64/],
    ['1000 threads', { threads: 1000 }, 'E_OPTION_VALUE', /threads.*64/],
    ['-1 threads', { threads: -1 }, 'E_OPTION_VALUE', /threads/],
    ['no number of bytes', { memoryLimit: -1 }, 'E_OPTION_VALUE', /memoryLimit/],
    ['half a byte', { memoryLimit: 0.5 }, 'E_OPTION_VALUE', /memoryLimit/],
    ['one byte', { memoryLimit: 1 }, 'E_MEMORY', /\d+ bytes for weights and tensors, the limit of the session is 1$/],
  ])('%s', async (_, options, code, says) => {
    expect(await outcomeOf(() => openSession(smallNetwork().write(), options).close())).toEqual({
      code,
      message: expect.stringMatching(says),
    });
    // The next one opens.
    openSession(smallNetwork().write(), { threads: 64 }).close();
  });

  test('a limit that holds all is enough; one byte less than what is needed is not', async () => {
    const plan = smallNetwork(16, 32).write();
    using session = openSession(plan);
    const { planBytes, packedBytes, arenaBytes, stateBytes, scratchBytes } = session.memory;
    const needed = Math.max(planBytes, packedBytes + scratchBytes) + arenaBytes + stateBytes;
    openSession(plan, { memoryLimit: needed }).close();
    expect(await outcomeOf(() => openSession(plan, { memoryLimit: needed - 1 }))).toMatchObject({ code: 'E_MEMORY' });
  });

  test('a plan with an arena of 4 GiB under a limit of 1 GiB takes none of it', async () => {
    const b = new PlanBuilder();
    const [x, y] = [b.input('x', 'int8', [1], GRID), b.output('y', 'int8', [1], GRID)];
    b.node({ op: 'binary_s8', outputs: [y], inputs: [x, x], params: { operation: 'add' } });
    b.arenaBytes = 2 ** 32;
    const before = process.memoryUsage.rss();
    const found = await outcomeOf(() => openSession(b.write(), { memoryLimit: 2 ** 30 }));
    expect(found).toEqual({ code: 'E_MEMORY', message: expect.stringMatching(/429\d+ bytes .* 1073741824$/) });
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 28);
  });
});

describe('the memory of a container', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hone-groups-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The limit that is found where the group of the process is `membership`, and these groups have bounds. */
  const limitOf = (membership: string, bounds: Readonly<Record<string, string>>): number => {
    writeFileSync(join(folder, 'cgroup'), membership);
    for (const [group, text] of Object.entries(bounds)) {
      mkdirSync(join(folder, group), { recursive: true });
      writeFileSync(join(folder, group, 'memory.max'), text);
    }
    return loadAddon().groupLimit(join(folder, 'cgroup'), folder);
  };

  test.each<[string, string, Readonly<Record<string, string>>, number]>([
    ['as the container sees itself', '0::/\n', { '': '536870912\n' }, 2 ** 29],
    ['as a service sees itself', '0::/system.slice/hone.service\n', { 'system.slice/hone.service': '1000000\n' }, 1e6],
    ['of a group above', '0::/a/b\n', { a: '4096\n', 'a/b': 'max\n' }, 4096],
    ['the least of all', '0::/a/b\n', { '': '9000\n', a: '5000\n', 'a/b': '7000\n' }, 5000],
    ['among lines of version 1', '4:memory:/x\n0::/a\n', { a: '123\n', x: '1\n' }, 123],
    ['no bound', '0::/a\n', { a: 'max\n' }, Number.POSITIVE_INFINITY],
    ['version 1 alone', '4:memory:/a\n', { a: '123\n' }, Number.POSITIVE_INFINITY],
    ['no such file', '0::/elsewhere\n', {}, Number.POSITIVE_INFINITY],
    ['no number', '0::/\n', { '': 'much\n' }, Number.POSITIVE_INFINITY],
    ['nothing', '', { '': '1\n' }, Number.POSITIVE_INFINITY],
  ])('%s', (_, membership, bounds, expected) => {
    expect(limitOf(membership, bounds)).toBe(expected);
  });
});
