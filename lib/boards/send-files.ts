import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { HoneError } from '../core/error';
import { boardFault } from './board-fault';
import { folderWord } from './board-folder';
import { destinationText } from './destination';
import type { Channel, Link } from './link';
import { receiveScript } from './scripts/receive-script';

/** A file that is to be on a board. */
export interface BoardFile {
  /** Below the folder of the installation. */
  readonly path: string;
  readonly mode: number;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Its bytes, compressed by gzip: the same each time, so that a broken transfer goes on. */
  packed(): Promise<Uint8Array>;
}

export interface SendOptions {
  readonly folder?: string;
  readonly signal?: AbortSignal;
  /** Told of bytes on the wire. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a transfer took. */
export interface Sent {
  /** Bytes of files on the wire. */
  readonly sentBytes: number;
  /** Bytes that an earlier, broken transfer had brought. */
  readonly resumedBytes: number;
  /** Paths of the files that were there. */
  readonly present: readonly string[];
}

const PATH = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._+-]*){0,6}$/;
const CHUNK_BYTES = 256 << 10;

/** A file of bytes in memory. */
export function boardFile(path: string, mode: number, bytes: Uint8Array): BoardFile {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, mode, sha256, sizeBytes: bytes.length, packed: () => promisify(gzip)(bytes, { level: 9 }) };
}

/**
 * Brings files to the folder of a board, in one process of the link. What is there is not sent, a broken transfer goes on where it
 * broke, and a file has its name only when all of them are whole on the disk, the last of the list last.
 * @throws E_BOARD_FOLDER, E_BOARD_SPACE, E_BOARD_BUSY, E_BOARD_TRANSFER, what `Link.open` throws
 */
export async function sendFiles(link: Link, files: readonly BoardFile[], options: SendOptions = {}): Promise<Sent> {
  const { folder, signal, onProgress } = options;
  const board = destinationText(link.destination);
  const odd = files.find(({ path }) => !PATH.test(path));
  if (odd !== undefined) throw new HoneError('E_INTERNAL', { message: `a file for the board is called ${odd.path}` });
  const listed = files.map((file) => ({ ...file, mode: file.mode.toString(8) }));
  const channel = await link.open(receiveScript(folderWord(board, folder), listed), signal ? { signal } : {});
  const answers = lines(channel, board);
  const missing = new Set(files.keys());
  for (;;) {
    const [word, index] = await next(answers, channel, board, folder);
    if (word === 'ready') break;
    if (word === 'have') missing.delete(Number(index));
  }
  const present = [...files.keys()].filter((index) => !missing.has(index)).map((index) => files[index].path);
  if (missing.size === 0) {
    channel.stream.end();
    await channel.ended;
    return { sentBytes: 0, resumedBytes: 0, present };
  }
  const parts: { index: number; bytes: Uint8Array }[] = [];
  for (const index of missing) parts.push({ index, bytes: await files[index].packed() });
  const name = createHash('sha256');
  for (const { bytes } of parts) name.update(bytes);
  const total = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const layout = parts.map(({ index, bytes }) => `${index}:${bytes.length}`).join(' ');
  channel.stream.write(`${name.digest('hex')} ${total} ${layout}\n`);
  const [word, offset] = await next(answers, channel, board, folder);
  const resumedBytes = word === 'offset' && /^\d{1,15}$/.test(offset) ? Number(offset) : Number.NaN;
  if (!(resumedBytes <= total)) throw await unexpected(channel, board, `${word} ${offset}`);
  let [at, done] = [0, resumedBytes];
  for (const { bytes } of parts) {
    for (let from = Math.max(0, resumedBytes - at); from < bytes.length; from += CHUNK_BYTES) {
      const chunk = bytes.subarray(from, from + CHUNK_BYTES);
      await written(channel, chunk);
      done += chunk.length;
      onProgress?.(done, total);
    }
    at += bytes.length;
  }
  channel.stream.end();
  const [last] = await next(answers, channel, board, folder);
  if (last !== 'done') throw await unexpected(channel, board, last);
  await channel.ended;
  return { sentBytes: total - resumedBytes, resumedBytes, present };
}

/** Writes, and waits while the board lags behind; a stream that broke is told by the answers. */
async function written({ stream, ended }: Channel, chunk: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.write(chunk)) return;
  let go: () => void = () => {};
  const drained = new Promise<void>((resolve) => {
    go = resolve;
    for (const event of ['drain', 'close', 'error']) stream.once(event, go);
  });
  await Promise.race([drained, ended.then(go, go)]);
  for (const event of ['drain', 'close', 'error']) stream.off(event, go);
}

const MOST_LINES = 1000;
const LONGEST_LINE = 1000;

/** The lines that a board says, word by word. */
async function* lines(channel: Channel, board: string): AsyncGenerator<readonly [word: string, rest: string]> {
  let [rest, count] = ['', 0];
  for await (const chunk of channel.stream) {
    rest += (chunk as Buffer).toString('latin1');
    const whole = rest.split('\n');
    rest = whole.pop()!;
    for (const line of whole) {
      if (++count > MOST_LINES) throw await unexpected(channel, board, 'too many lines');
      const at = line.indexOf(' ');
      yield at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
    }
    if (rest.length > LONGEST_LINE) throw await unexpected(channel, board, 'a line that does not end');
  }
}

/** The next answer. @throws the fault that the board tells, why the link broke */
async function next(
  answers: ReturnType<typeof lines>,
  channel: Channel,
  board: string,
  folder: string | undefined,
): Promise<readonly [word: string, rest: string]> {
  const { value, done } = await answers.next().catch(async (error: unknown) => {
    // A stream that breaks says less than why it broke.
    if (!(error instanceof HoneError)) await channel.ended;
    throw error;
  });
  if (done || value === undefined) {
    const { stderr } = await channel.ended;
    throw boardFault(board, folder, 'answer', stderr);
  }
  const [word, rest] = value;
  if (word !== 'fault') return value;
  const at = rest.indexOf(' ');
  // It ends by itself, and takes its lock away.
  channel.stream.end();
  await channel.ended.catch(() => {});
  throw boardFault(board, folder, rest.slice(0, at), rest.slice(at + 1));
}

async function unexpected(channel: Channel, board: string, found: string): Promise<HoneError> {
  channel.stream.destroy();
  await channel.ended.catch(() => {});
  return boardFault(board, undefined, 'answer', found);
}
