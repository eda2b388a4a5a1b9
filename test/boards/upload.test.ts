import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBoardFolder } from '../../lib/agent/board-folder';
import { BlobStore } from '../../lib/agent/stdio/blob-store';
import { blobOf } from '../../lib/boards/blob-source';
import { BoardConnection } from '../../lib/boards/board-connection';
import { FrameClient } from '../../lib/client/frame-client';
import { Rng } from '../../lib/core/rng';
import { BOARD_FRAME, BOARD_FRAME_LIMITS, BOARD_PROTOCOL } from '../../lib/protocol/board-frames';
import { overMemory } from './ends';

let root: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hone-upload-'));
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
  rmSync(root, { recursive: true });
});

async function board(): Promise<BoardConnection & { readonly cut: () => Promise<unknown> }> {
  const { stream, over } = await overMemory(root);
  const connection = await BoardConnection.open(stream, 'the board');
  const cut = () => {
    stream.destroy();
    return over;
  };
  closing.push(cut);
  return Object.assign(connection, { cut });
}

/** An end that sends what it likes. */
async function stranger(): Promise<FrameClient> {
  const { stream, over } = await overMemory(root);
  const client = new FrameClient(stream, stream, { place: 'the board', frames: BOARD_FRAME_LIMITS });
  await client.greet(BOARD_PROTOCOL);
  closing.push(() => {
    client.close();
    return over;
  });
  return client;
}

const whole = (sha256: string) => join(root, 'blobs', 'sha256', sha256);
const part = (sha256: string) => join(root, 'blobs', 'partial', sha256);

test('an upload that is cut at fifty moments goes on each time and ends as the same bytes', async () => {
  const rng = new Rng(7);
  const bytes = randomBytes(700_000);
  const blob = blobOf(bytes);
  for (let trial = 0; trial < 50; trial++) {
    const first = await board();
    const moment = rng.integer(0, 3);
    let seen = 0;
    const cut = new Promise<void>((resolve) => {
      const check = () => {
        if (seen >= moment) resolve();
      };
      check();
      first
        .upload(blob, {
          onProgress: () => {
            seen++;
            check();
          },
        })
        .catch(() => {});
    });
    await cut;
    for (let turns = rng.integer(0, 5); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    await first.cut();
    const arrived = existsSync(part(blob.sha256)) ? statSync(part(blob.sha256)).size : 0;
    const isThere = existsSync(whole(blob.sha256));
    const second = await board();
    expect(await second.upload(blob)).toBe(isThere ? 0 : bytes.length - arrived);
    await second.cut();
    expect(bytes.equals(readFileSync(whole(blob.sha256)))).toBe(true);
    expect(existsSync(part(blob.sha256))).toBe(false);
    rmSync(whole(blob.sha256));
  }
});

test('a second controller is refused in words while the first sends, and goes on when that is gone', async () => {
  const [first, second] = [await stranger(), await board()];
  const bytes = randomBytes(300_000);
  const blob = blobOf(bytes);
  const { sha256, size } = blob;
  await first.ask(BOARD_FRAME.put, { sha256, offset: 0, size }, [bytes.subarray(0, 1000)]);
  await expect(second.upload(blob)).rejects.toMatchObject({ code: 'E_BLOB_BUSY', details: { sha256 } });
  await closing[0]();
  await expect(second.upload(blob)).resolves.toBe(size - 1000);
  expect(bytes.equals(readFileSync(whole(sha256)))).toBe(true);
});

test('what turns out to be wrong is thrown away and sent again', async () => {
  const bytes = randomBytes(5000);
  const blob = blobOf(bytes);
  const sender = await board();
  writeFileSync(part(blob.sha256), 'of another');
  expect(await sender.upload(blob)).toBe(5000 - 10 + 5000);
  expect(bytes.equals(readFileSync(whole(blob.sha256)))).toBe(true);
});

test('bytes that are not those of the digest never become a blob', async () => {
  const client = await stranger();
  const { sha256 } = blobOf(Buffer.from('right'));
  await client.ask(BOARD_FRAME.put, { sha256, offset: 0, size: 5 }, [Buffer.from('wrong')]);
  await expect(client.ask(BOARD_FRAME.commit, { sha256 })).rejects.toMatchObject({ code: 'E_BLOB_DIGEST' });
  expect([existsSync(whole(sha256)), existsSync(part(sha256))]).toEqual([false, false]);
  await expect(client.ask(BOARD_FRAME.commit, { sha256 })).rejects.toMatchObject({ code: 'E_BLOB_UNKNOWN' });
});

test('bytes that do not follow what has arrived are refused, and the right ones are taken then', async () => {
  const client = await stranger();
  const { sha256 } = blobOf(Buffer.from('abcdef'));
  const put = (offset: number, text: string) =>
    client.ask(BOARD_FRAME.put, { sha256, offset, size: 6 }, [Buffer.from(text)]);
  await put(0, 'abc');
  await expect(put(4, 'ef')).rejects.toMatchObject({ code: 'E_BLOB_OFFSET', details: { expected: 3, found: 4 } });
  await expect(put(1, 'bc')).rejects.toMatchObject({ code: 'E_BLOB_OFFSET' });
  await put(3, 'def');
  await client.ask(BOARD_FRAME.commit, { sha256 });
  expect(readFileSync(whole(sha256), 'utf8')).toBe('abcdef');
});

test('a link that somebody left where a blob arrives is not followed', async () => {
  const target = join(root, 'target');
  writeFileSync(target, 'precious');
  const { sha256 } = blobOf(Buffer.from('x'));
  const client = await stranger();
  symlinkSync(target, part(sha256));
  await expect(client.ask(BOARD_FRAME.put, { sha256, offset: 0, size: 1 }, [Buffer.from('x')])).rejects.toMatchObject({
    code: expect.stringMatching(/^E_FILE/),
  });
  expect(readFileSync(target, 'utf8')).toBe('precious');
});

test('a full disk has a code of its own and costs nothing that has arrived', async () => {
  const bytes = randomBytes(600_000);
  const blob = blobOf(bytes);
  const sender = await board();
  const handle = await open(join(root, 'catalogue.json'));
  const prototype = Object.getPrototypeOf(handle) as { write: (...args: unknown[]) => Promise<unknown> };
  await handle.close();
  const { write } = prototype;
  let writes = 0;
  jest.spyOn(prototype, 'write').mockImplementation(function (this: unknown, ...args: unknown[]) {
    writes++;
    if (writes !== 2) return write.apply(this, args);
    return Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }));
  });
  await expect(sender.upload(blob)).rejects.toMatchObject({ code: 'E_DISK_FULL' });
  expect(statSync(part(blob.sha256)).size).toBe(262_144);
  expect(await sender.upload(blob)).toBe(600_000 - 262_144);
  expect(bytes.equals(readFileSync(whole(blob.sha256)))).toBe(true);
});

test('what cannot fit is refused before it is sent', async () => {
  const client = await stranger();
  const sha256 = 'ab'.repeat(32);
  const { statfs } = jest.requireActual<typeof import('node:fs/promises')>('node:fs/promises');
  const { bavail, bsize } = await statfs(root);
  const size = Math.min(4 * 2 ** 30, bavail * bsize);
  jest.spyOn(require('node:fs/promises'), 'statfs').mockResolvedValue({ bavail: 1, bsize: 4096 });
  await expect(client.ask(BOARD_FRAME.put, { sha256, offset: 0, size }, [Buffer.from('x')])).rejects.toMatchObject({
    code: 'E_DISK_FULL',
    details: { reason: expect.stringMatching(/4096 are free/) },
  });
});

test('an upload that is interrupted says so and goes on later', async () => {
  const bytes = randomBytes(9_000_000);
  const blob = blobOf(bytes);
  const sender = await board();
  const stop = new AbortController();
  const upload = sender.upload(blob, { signal: stop.signal, onProgress: () => stop.abort() });
  await expect(upload).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  const [{ partialBytes }] = await sender.blobs([blob.sha256]);
  expect(partialBytes).toBeGreaterThan(0);
  expect(await sender.upload(blob)).toBe(bytes.length - partialBytes);
});

test('more blobs at once than a connection may send are refused, until nothing works on one', async () => {
  const store = new BlobStore(await makeBoardFolder(root));
  closing.push(() => store.close());
  const put = (digit: number) =>
    store.put({ sha256: `${digit}`.repeat(64), offset: 0, size: 2 }, Buffer.from('x')).then(
      () => 'taken',
      ({ code }: { code: string }) => code,
    );
  const outcomes = await Promise.all([0, 1, 2, 3, 4].map(put));
  expect(outcomes).toEqual(['taken', 'taken', 'taken', 'taken', 'E_AGENT_BUSY']);
  expect(await put(5)).toBe('taken');
});

test.each<[what: string, kind: number, json: unknown, payload: Uint8Array[]]>([
  [
    'a digest that is a path',
    BOARD_FRAME.put,
    { sha256: '../../../etc/passwd', offset: 0, size: 1 },
    [Buffer.from('x')],
  ],
  ['a payload where none is', BOARD_FRAME.blobs, { sha256: [] }, [Buffer.from('x')]],
  ['a kind that is none', 99, null, []],
  ['too much of the log', BOARD_FRAME.logs, { bytes: 1 << 30 }, []],
])('%s is refused, and the next request is answered', async (_, kind, json, payload) => {
  const client = await stranger();
  await expect(client.ask(kind, json, payload)).rejects.toMatchObject({ code: 'E_FRAME_FORMAT' });
  expect(await client.ask(BOARD_FRAME.blobs, { sha256: [] })).toEqual([]);
});
