/** What a program for Linux asks of a machine, read from its ELF file. */
export interface ElfProgram {
  readonly machine: 'aarch64' | 'x86_64' | 'other';
  /** Libraries that it is linked with: `libm.so.6`. */
  readonly needed: readonly string[];
  /** Newest version that it wants of each kind of symbol: `GLIBC` → `2.28`. */
  readonly versions: ReadonlyMap<string, string>;
  /** End of the last part that is loaded; what lies behind is for debuggers. */
  readonly loadedBytes: number;
}

const MACHINES: Readonly<Record<number, ElfProgram['machine']>> = { 183: 'aarch64', 62: 'x86_64' };
const [HEADER_BYTES, SEGMENT_BYTES, ENTRY_BYTES] = [64, 56, 16];
const LOAD = 1;
const DYNAMIC = 2;
/** Tags of the dynamic section. */
const TAGS = { needed: 1n, strings: 5n, stringBytes: 10n, versions: 0x6ffffffen, versionCount: 0x6fffffffn };
const MOST_ENTRIES = 4096;
const LONGEST_NAME = 200;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly sizeBytes: number;
}

/** Reads a 64-bit little-endian program. The bytes may be anything: undefined when they are no such program, or not whole. */
export function readElf(bytes: Uint8Array): ElfProgram | undefined {
  try {
    return readProgram(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    // What a read beyond the end throws.
    if (error instanceof RangeError || (error as { code?: unknown }).code === 'ERR_OUT_OF_RANGE') return undefined;
    throw error;
  }
}

function readProgram(file: Buffer): ElfProgram | undefined {
  if (file.length < HEADER_BYTES || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    return undefined;
  // Programs, and those that can be loaded anywhere.
  if (![2, 3].includes(file.readUInt16LE(16)) || file.readUInt16LE(54) !== SEGMENT_BYTES) return undefined;
  const start = toNumber(file.readBigUInt64LE(32));
  const segments = Array.from({ length: file.readUInt16LE(56) }, (_, index) =>
    segmentAt(file, start + index * SEGMENT_BYTES),
  );
  const loaded = segments.filter(({ type }) => type === LOAD);
  const loadedBytes = Math.max(0, ...loaded.map(({ offset, sizeBytes }) => offset + sizeBytes));
  if (loadedBytes < HEADER_BYTES || loadedBytes > file.length) return undefined;
  const dynamic = segments.find(({ type }) => type === DYNAMIC);
  const machine = MACHINES[file.readUInt16LE(18)] ?? 'other';
  if (dynamic === undefined) return { machine, needed: [], versions: new Map(), loadedBytes };

  const offsetOf = (address: bigint): number => {
    const home = loaded.find((each) => address >= each.address && address < each.address + BigInt(each.sizeBytes));
    if (home === undefined) throw new RangeError('no part of the file is loaded there');
    return home.offset + Number(address - home.address);
  };
  const entries: [tag: bigint, value: bigint][] = [];
  for (
    let at = dynamic.offset;
    at < dynamic.offset + dynamic.sizeBytes && entries.length < MOST_ENTRIES;
    at += ENTRY_BYTES
  ) {
    const tag = file.readBigUInt64LE(at);
    if (tag === 0n) break;
    entries.push([tag, file.readBigUInt64LE(at + 8)]);
  }
  const entryOf = (tag: bigint): bigint | undefined => entries.find(([own]) => own === tag)?.[1];
  const strings = offsetOf(entryOf(TAGS.strings) ?? -1n);
  const end = strings + toNumber(entryOf(TAGS.stringBytes) ?? 0n);
  const text = (index: number): string => {
    const from = strings + index;
    if (from >= end || end > file.length) throw new RangeError('no such name');
    const stop = file.subarray(from, Math.min(end, from + LONGEST_NAME)).indexOf(0);
    if (stop === -1) throw new RangeError('a name that does not end');
    return file.toString('latin1', from, from + stop);
  };
  const needed = entries.filter(([tag]) => tag === TAGS.needed).map(([, value]) => text(toNumber(value)));
  const at = entryOf(TAGS.versions);
  const count = toNumber(entryOf(TAGS.versionCount) ?? 0n);
  const versions = at === undefined ? new Map<string, string>() : readVersions(file, offsetOf(at), count, text);
  return { machine, needed, versions, loadedBytes };
}

function segmentAt(file: Buffer, at: number): Segment {
  return {
    type: file.readUInt32LE(at),
    offset: toNumber(file.readBigUInt64LE(at + 8)),
    address: file.readBigUInt64LE(at + 16),
    sizeBytes: toNumber(file.readBigUInt64LE(at + 32)),
  };
}

/** The newest version of each kind in the list of those that are wanted. */
function readVersions(
  file: Buffer,
  start: number,
  count: number,
  text: (index: number) => string,
): Map<string, string> {
  const newest = new Map<string, string>();
  let [at, seen] = [start, 0];
  for (let library = 0; library < count; library++) {
    const [names, next] = [file.readUInt16LE(at + 2), file.readUInt32LE(at + 12)];
    let name = at + file.readUInt32LE(at + 8);
    for (let index = 0; index < names; index++) {
      if (++seen > MOST_ENTRIES) throw new RangeError('too many versions');
      const parts = /^([A-Z]+)_(\d+(?:\.\d+){0,3})$/.exec(text(file.readUInt32LE(name + 8)));
      if (parts !== null && isNewer(parts[2], newest.get(parts[1]))) newest.set(parts[1], parts[2]);
      name += file.readUInt32LE(name + 12);
    }
    if (next === 0) break;
    at += next;
  }
  return newest;
}

function isNewer(version: string, than: string | undefined): boolean {
  if (than === undefined) return true;
  const [own, other] = [version, than].map((each) => each.split('.').map(Number));
  for (let index = 0; index < Math.max(own.length, other.length); index++)
    if ((own[index] ?? 0) !== (other[index] ?? 0)) return (own[index] ?? 0) > (other[index] ?? 0);
  return false;
}

function toNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('beyond any file');
  return Number(value);
}

/** The program without what only debuggers read: it runs as before. */
export function stripElf(bytes: Uint8Array, { loadedBytes }: ElfProgram): Uint8Array {
  const kept = Buffer.from(bytes.subarray(0, loadedBytes));
  // No table of sections any more: its place, its length, and the number of the section of names.
  kept.writeBigUInt64LE(0n, 40);
  kept.writeUInt32LE(0, 60);
  return kept;
}
