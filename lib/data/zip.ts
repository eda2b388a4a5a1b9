import { inflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { HoneError } from '../core/error';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** Deflate cannot shrink further than this: a file that claims more lies about its size. */
const MAX_RATIO = 1032;

/** Whether bytes start like a zip file. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/**
 * Files of a zip archive by name, in directory order; stored and deflated ones. Stored files are views.
 * Sizes are checked before anything is allocated, contents against their CRC-32.
 * @throws E_DATA_FORMAT
 */
export function readZip(bytes: Uint8Array, path: string): Map<string, Uint8Array> {
  const fail = (reason: string) => new HoneError('E_DATA_FORMAT', { path, reason });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end === undefined) throw fail('the zip directory is missing; is the file complete?');
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) throw fail('zip64 archives (beyond 4 GB) are not read');
  const files = new Map<string, Uint8Array>();
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY_ENTRY) throw fail('the zip directory is broken');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const entry: Entry = {
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      header: view.getUint32(at + 42, true),
    };
    files.set(name, readEntry(bytes, view, entry, fail));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly header: number;
}

/** Offset of the end-of-directory record: the last one, before a comment of at most 64 KiB. */
function findEnd(view: DataView): number | undefined {
  const lowest = Math.max(0, view.byteLength - 22 - 65535);
  for (let at = view.byteLength - 22; at >= lowest; at--) if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  return undefined;
}

function readEntry(bytes: Uint8Array, view: DataView, entry: Entry, fail: (reason: string) => HoneError): Uint8Array {
  const { name, header, packed, size } = entry;
  if (packed === 0xffffffff || size === 0xffffffff) throw fail(`'${name}' is larger than 4 GB`);
  if ((entry.flags & 1) !== 0) throw fail(`'${name}' is encrypted`);
  if (header + 30 > bytes.length || view.getUint32(header, true) !== LOCAL_HEADER) throw fail(`'${name}' is broken`);
  const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  if (start + packed > bytes.length) throw fail(`'${name}' is cut off`);
  const content = bytes.subarray(start, start + packed);
  const plain = unpack(content, entry, fail);
  if (plain.length !== size || crc32(plain) !== entry.crc) throw fail(`'${name}' is damaged (checksum)`);
  return plain;
}

function unpack(content: Uint8Array, entry: Entry, fail: (reason: string) => HoneError): Uint8Array {
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

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** CRC-32 of ISO 3309 (node:zlib has it only from 20.15 on). */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let index = 0; index < bytes.length; index++) crc = CRC_TABLE[(crc ^ bytes[index]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Bytes of a zip archive, deflated; the same entries always give the same bytes. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return zipSync(Object.fromEntries(files), { mtime: new Date(1980, 0, 1), level: 6 });
}
