import { spawn, spawnSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseDestination } from '../../lib/boards/destination';
import { processLink } from '../../lib/boards/links/process-link';
import { openLink } from '../../lib/boards/open-link';
import { type BoardFile, boardFile, sendFiles } from '../../lib/boards/send-files';
import { HoneError } from '../../lib/core/error';
import { Rng } from '../../lib/core/rng';
import { CAN_MOUNT, SHELLS, shellLink } from './shell-link';
import { describeWithSsh, type SshServer, startSshServer } from './ssh-server';
import { listing } from './toy-agent';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hone-send-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const coded = (code: string, message: RegExp = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

/** Bytes that do not get smaller. */
function noise(seed: number, length: number): Uint8Array {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));
}

const small = boardFile('hone-agent', 0o700, Buffer.from('#!/bin/sh\n'));
const large = boardFile('agent/1/addon.node', 0o600, noise(1, 300_000));
const FILES: readonly BoardFile[] = [large, boardFile('agent/1/empty', 0o600, new Uint8Array()), small];

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('by %s', (_, shell) => {
  const link = () => shellLink(shell, { HOME: home });

  test('files arrive whole, with their permissions, and a second time nothing is sent', async () => {
    const steps: number[] = [];
    const sent = await sendFiles(link(), FILES, { onProgress: (done, total) => steps.push(done / total) });
    expect(sent).toMatchObject({ resumedBytes: 0, present: [] });
    expect(steps.at(-1)).toBe(1);
    for (const { path, mode, sizeBytes } of FILES)
      expect(statSync(join(home, '.hone', path))).toMatchObject({ size: sizeBytes, mode: 0o100000 | mode });
    expect(readFileSync(join(home, '.hone/agent/1/addon.node')).equals(await unpacked(large))).toBe(true);
    expect(listing(home)).toEqual([
      ...[
        '.hone/',
        '.hone/agent/',
        '.hone/agent/1/',
        '.hone/agent/1/addon.node',
        '.hone/agent/1/empty',
        '.hone/hone-agent',
      ],
      '.hone/made',
    ]);
    expect(readFileSync(join(home, '.hone/made'), 'utf8')).toBe(`${join(home, '.hone')}\n`);
    expect(await sendFiles(link(), FILES)).toEqual({
      sentBytes: 0,
      resumedBytes: 0,
      present: FILES.map(({ path }) => path),
    });
  });

  test('only what is missing or other is sent', async () => {
    await sendFiles(link(), FILES);
    writeFileSync(join(home, '.hone/hone-agent'), '#!/bin/sX\n');
    chmodSync(join(home, '.hone/agent/1/empty'), 0o644);
    const sent = await sendFiles(link(), FILES);
    expect(sent.present).toEqual(['agent/1/addon.node', 'agent/1/empty']);
    expect(sent.sentBytes).toBeLessThan(100);
    expect(readFileSync(join(home, '.hone/hone-agent'), 'utf8')).toBe('#!/bin/sh\n');
    expect(statSync(join(home, '.hone/agent/1/empty')).mode).toBe(0o100600);
  });

  test('a file that arrives changed takes no name, nor do the others', async () => {
    const wrong = { ...small, packed: () => boardFile('x', 0, Buffer.from('#!/bin/no\n')).packed() };
    await expect(sendFiles(link(), [large, wrong])).rejects.toEqual(coded('E_BOARD_TRANSFER', /hone-agent/));
    expect(listing(home)).toEqual(['.hone/', '.hone/made']);
    await sendFiles(link(), [large, small]);
    expect(listing(home)).toContain('.hone/hone-agent');
  });

  test('two controllers at once: the second is refused', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reached: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const slow: BoardFile = {
      ...small,
      async packed() {
        reached();
        await held;
        return small.packed();
      },
    };
    const first = sendFiles(link(), [slow]);
    await begun;
    await expect(sendFiles(link(), FILES)).rejects.toEqual(coded('E_BOARD_BUSY', /process \d+/));
    release();
    expect((await first).present).toEqual([]);
    await sendFiles(link(), FILES);
  });

  test('a controller that went silent loses its lock, and what it sent is kept', async () => {
    const impatient = shellLink(shell, { HOME: home }, 'sleep() { command sleep 0.1; }');
    const never: BoardFile = { ...small, packed: () => new Promise(() => {}) };
    void sendFiles(impatient, [never]).catch(() => {});
    const stopped = AbortSignal.timeout(20_000);
    while (!listing(home).includes('.hone/lock/owner')) await delay(10, undefined, { signal: stopped });
    while (listing(home).includes('.hone/lock/owner')) await delay(10, undefined, { signal: stopped });
    await sendFiles(link(), FILES);
  });

  test.each([
    ['a process that is gone', () => `${spawnSync('true').pid} ${bootId()}`, true],
    ['a process of before the last start of the board', () => `${process.pid} 0-0-0`, true],
    ['a process that runs', () => `${process.pid} ${bootId()}`, false],
    ['nobody knows whom', () => 'x', false],
  ])('the lock of %s', async (_what, owner, taken) => {
    mkdirSync(join(home, '.hone/lock'), { recursive: true });
    writeFileSync(join(home, '.hone/lock/owner'), `${owner()}\n`);
    const sending = sendFiles(link(), [small]);
    if (taken) await sending;
    else await expect(sending).rejects.toEqual(coded('E_BOARD_BUSY'));
    expect(listing(home).includes('.hone/lock/')).toBe(!taken);
  });

  (CAN_MOUNT ? test : test.skip)('a board that is full (needs the right to mount)', async () => {
    const full = shellLink(['unshare', '-m', ...shell], { HOME: home }, `mount -t tmpfs -o size=200k tmpfs ${home}`);
    await expect(sendFiles(full, FILES)).rejects.toEqual(coded('E_BOARD_FULL'));
    const tight = shellLink(['unshare', '-m', ...shell], { HOME: home }, `mount -t tmpfs -o size=500k tmpfs ${home}`);
    await expect(sendFiles(tight, FILES)).rejects.toEqual(coded('E_BOARD_FULL', /unpacked/));
  });

  test('a limit on the size of files', async () => {
    const limited = shellLink(shell, { HOME: home }, 'ulimit -f 100');
    await expect(sendFiles(limited, FILES)).rejects.toEqual(coded('E_BOARD_FULL'));
    expect(listing(home).filter((path) => /addon|hone-agent|lock/.test(path))).toEqual([]);
    await sendFiles(link(), FILES);
  });

  (CAN_MOUNT ? test : test.skip)('a board that cannot be written (needs the right to mount)', async () => {
    const readOnly = shellLink(['unshare', '-m', ...shell], { HOME: home }, `mount -t tmpfs -o ro tmpfs ${home}`);
    await expect(sendFiles(readOnly, FILES)).rejects.toEqual(coded('E_BOARD_FOLDER'));
  });

  test('a folder whose place is a file', async () => {
    writeFileSync(join(home, 'file'), '');
    await expect(sendFiles(link(), FILES, { folder: 'file/below' })).rejects.toEqual(
      coded('E_BOARD_FOLDER', /cannot be made/),
    );
  });
});

test.each([
  ['yes have 0', 'E_BOARD_ANSWER', /too many lines/],
  ['head -c 5000 /dev/zero; sleep 5', 'E_BOARD_ANSWER', /does not end/],
  ['exit 0', 'E_BOARD_ANSWER', /without a word/],
  ['echo ready; read line; echo offset -1', 'E_BOARD_ANSWER', /offset -1/],
  ['echo ready; read line; echo offset 99999999999', 'E_BOARD_ANSWER', /offset 9/],
  ['echo ready; read line; echo offset 0; cat >/dev/null; echo finished', 'E_BOARD_ANSWER', /finished/],
  ['echo ready; read line; echo offset 0; exit', 'E_BOARD_ANSWER', /without a word/],
  [`printf 'fault busy \\033[2J\\n'`, 'E_BOARD_BUSY', /\\x1b\[2J$/],
] as const)('a board that says %j is refused', async (text, code, message) => {
  const link = processLink({
    destination: { kind: 'local' },
    start: (script) => spawn('sh', ['-c', `${script.split('\n')[0]}\n${text}`], { stdio: 'pipe' }),
    explain: () => new HoneError('E_INTERNAL', { message: 'it did not begin' }),
  });
  await expect(sendFiles(link, FILES)).rejects.toEqual(coded(code, message));
});

test('a name that a shell could read otherwise is refused', async () => {
  for (const path of ['../x', '/x', 'a b', '$(id)', 'a/../b', '-x/$'])
    await expect(sendFiles(shellLink(['sh'], { HOME: home }), [{ ...small, path }])).rejects.toEqual(
      coded('E_INTERNAL'),
    );
});

describeWithSsh('over ssh', () => {
  let server: SshServer;
  beforeEach(async () => {
    server = await startSshServer();
  });
  afterEach(() => server.close());

  test('a link that breaks at any moment: the next transfer goes on, and what arrives is whole', async () => {
    const made = boardFile('agent/1/big', 0o600, noise(2, 12 << 20));
    const bytes = await made.packed();
    const big = { ...made, packed: async () => bytes };
    const link = openLink(parseDestination('board'), { config: server.config });
    const moments = new Rng(7);
    let resumed = 0;
    let cuts = 0;
    for (let at = 0; at < 0.9; at += 0.1 + 0.2 * moments.uniform()) {
      let isCut = false;
      const sending = sendFiles(link, [big, small], {
        onProgress: (done, total) => {
          if (!isCut && done / total > at) server.drop();
          isCut ||= done / total > at;
        },
      });
      await expect(sending).rejects.toEqual(coded('E_BOARD_DROPPED'));
      expect(listing(server.home)).not.toContain('.hone/hone-agent');
      cuts++;
    }
    const sent = await sendFiles(link, [big, small]);
    resumed += sent.resumedBytes;
    expect([cuts > 3, resumed > 0]).toEqual([true, true]);
    expect(readFileSync(join(server.home, '.hone/agent/1/big')).equals(await unpacked(big))).toBe(true);
  });

  test('a transfer that is interrupted', async () => {
    const link = openLink(parseDestination('board'), { config: server.config });
    const controller = new AbortController();
    const sending = sendFiles(link, [boardFile('agent/1/big', 0o600, noise(3, 8 << 20))], {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(sending).rejects.toEqual(coded('E_INTERRUPTED'));
  });
});

async function unpacked(file: BoardFile): Promise<Buffer> {
  const { gunzipSync } = await import('node:zlib');
  return gunzipSync(await file.packed());
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
