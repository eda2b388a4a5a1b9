import { crc32, inflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { HoneError } from '../core/error';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** Sizes of the fixed parts of the end record and of a local header, and of the longest comment. */
const END_BYTES = 22;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 65535;
/** Deflate cannot shrink further than this: a file that claims more lies about its size. */
const MAX_RATIO = 1032;

/** Packed files that give more than this together, and more than so many times their size, are not unpacked. */
const FREE_UNPACKED_BYTES = 64 << 20;
const TRUSTED_RATIO = 100;

/** Whether bytes start like a zip file. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/** Where one file of an archive is, and how it is packed. */
export interface ZipEntry {
  readonly name: string;
  readonly flags: number;
  /** 0: stored as it is; 8: deflated. */
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Offset of its local header. */
  readonly header: number;
}

/**
 * Files of a zip archive by name, in directory order; stored and deflated ones. Stored files are views.
 * Sizes are checked before anything is allocated, contents against their CRC-32.
 * @throws E_DATA_FORMAT
 */
export function readZip(bytes: Uint8Array, path: string): Map<string, Uint8Array> {
  const fail = failing(path);
  const { at, offset, count } = parseEnd(bytes, fail);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = parseDirectory(bytes.subarray(offset, Math.max(offset, at)), count, fail);
  checkRatio(entries, fail);
  return new Map(entries.map((entry) => [entry.name, readEntry(bytes, view, entry, fail)]));
}

/** Reads `length` bytes of a file from `offset` on. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

/**
 * Directory of a zip archive of `size` bytes, of which only the end is read.
 * @throws E_DATA_FORMAT
 */
export async function listZip(size: number, read: ReadRange, path: string): Promise<readonly ZipEntry[]> {
  const fail = failing(path);
  const start = Math.max(0, size - END_BYTES - MAX_COMMENT_BYTES);
  const { at, offset, count } = parseEnd(await read(start, size - start), fail);
  if (offset > start + at) throw fail('the zip directory is broken');
  return parseDirectory(await read(offset, start + at - offset), count, fail);
}

/**
 * Offset of a file's first byte in an archive, and the file itself when it is not stored as it is (its contents are checked
 * then; those of stored files are not, as they are read in parts).
 * @throws E_DATA_FORMAT
 */
export async function locateEntry(
  entry: ZipEntry,
  read: ReadRange,
  path: string,
): Promise<{ readonly start: number; readonly unpacked: Uint8Array | undefined }> {
  const fail = failing(path);
  const { name, header, packed } = entry;
  checkEntry(entry, fail);
  checkRatio([entry], fail);
  const local = await read(header, LOCAL_BYTES);
  const start = header + localLength(new DataView(local.buffer, local.byteOffset, local.length), 0, name, fail);
  if (entry.method !== 0) return { start, unpacked: unpackChecked(await read(start, packed), entry, fail) };
  if (packed !== entry.size) throw fail(`'${name}' is broken`);
  return { start, unpacked: undefined };
}

type Fail = (reason: string) => HoneError;

function failing(path: string): Fail {
  return (reason) => new HoneError('E_DATA_FORMAT', { path, reason });
}

/** Finds the end-of-directory record: the last one, before a comment of at most 64 KiB. `at` is its offset in `bytes`. */
function parseEnd(bytes: Uint8Array, fail: Fail): { at: number; offset: number; count: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lowest = Math.max(0, bytes.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let at = bytes.length - END_BYTES; at >= lowest; at--) {
    if (view.getUint32(at, true) !== END_OF_DIRECTORY) continue;
    const count = view.getUint16(at + 10, true);
    const offset = view.getUint32(at + 16, true);
    if (count === 0xffff || offset === 0xffffffff)
      throw fail('zip64 archives (beyond 4 GB) are not read; split it into a folder of several');
    return { at, offset, count };
  }
  throw fail('the zip directory is missing; is the file complete?');
}

function parseDirectory(bytes: Uint8Array, count: number, fail: Fail): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== DIRECTORY_ENTRY)
      throw fail('the zip directory is broken');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      header: view.getUint32(at + 42, true),
    });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

function checkEntry({ name, packed, size, flags }: ZipEntry, fail: Fail): void {
  if (packed === 0xffffffff || size === 0xffffffff) throw fail(`'${name}' is larger than 4 GB`);
  if ((flags & 1) !== 0) throw fail(`'${name}' is encrypted`);
}

/** Refuses archives whose files would take far more memory than the archive: real samples do not shrink so much. */
function checkRatio(entries: readonly ZipEntry[], fail: Fail): void {
  // What cannot be true is refused entry by entry.
  const deflated = entries.filter(({ method, packed, size }) => method !== 0 && size <= packed * MAX_RATIO);
  const sum = (key: 'packed' | 'size') => deflated.reduce((total, entry) => total + entry[key], 0);
  const [packed, size] = [sum('packed'), sum('size')];
  if (size > FREE_UNPACKED_BYTES && size > packed * TRUSTED_RATIO)
    throw fail(
      `its ${packed} bytes unpack to ${size}, more than ${TRUSTED_RATIO} times as many; ` +
        'write it without compression (numpy.savez) if that is right',
    );
}

/** Bytes of the local header at `at`, with name and extra fields. */
function localLength(view: DataView, at: number, name: string, fail: Fail): number {
  if (at + LOCAL_BYTES > view.byteLength || view.getUint32(at, true) !== LOCAL_HEADER)
    throw fail(`'${name}' is broken`);
  return LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
}

function readEntry(bytes: Uint8Array, view: DataView, entry: ZipEntry, fail: Fail): Uint8Array {
  const { name, header, packed } = entry;
  checkEntry(entry, fail);
  const start = header + localLength(view, header, name, fail);
  if (start + packed > bytes.length) throw fail(`'${name}' is cut off`);
  return unpackChecked(bytes.subarray(start, start + packed), entry, fail);
}

function unpackChecked(content: Uint8Array, entry: ZipEntry, fail: Fail): Uint8Array {
  const plain = unpack(content, entry, fail);
  if (plain.length !== entry.size || crc32(plain) !== entry.crc) throw fail(`'${entry.name}' is damaged (checksum)`);
  return plain;
}

function unpack(content: Uint8Array, entry: ZipEntry, fail: Fail): Uint8Array {
  if (entry.method === 0) return content;
  if (entry.method !== 8) throw fail(`'${entry.name}' is packed by method ${entry.method}; only deflate is read`);
  if (entry.size > content.length * MAX_RATIO) throw fail(`'${entry.name}' claims an impossible size`);
  try {
    const plain = inflateRawSync(content, { maxOutputLength: Math.max(1, entry.size) });
    return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
  } catch (error) {
    throw fail(`'${entry.name}' is damaged (${(error as Error).message})`);
  }
}

/** How files go into an archive: as they are, or smaller but slower to write and unreadable in parts. */
export type Packing = 'stored' | 'deflated';

/** Bytes of a zip archive; the same entries always give the same bytes. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>, packing: Packing = 'deflated'): Uint8Array {
  const level = packing === 'stored' ? 0 : 6;
  return zipSync(Object.fromEntries(files), { mtime: new Date(1980, 0, 1), level });
}
