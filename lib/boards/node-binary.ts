import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { HoneError, readError } from '../core/error';
import { type ElfProgram, readElf, stripElf } from './elf';
import type { BoardFacts } from './facts';
import { FLOOR, isOlder } from './findings';
import type { BoardBinary, Installation } from './install';
import { type FetchPackage, fetchNode, NODE_PACKAGES, type NodePlatform } from './node-package';

export interface BoardNodeOptions {
  /** A program `node` for the board, instead of the one that npm brings. */
  readonly file?: string;
  /** Folder where what was fetched is kept; the user's own cache. */
  readonly cache?: string;
  readonly signal?: AbortSignal;
  readonly fetch?: FetchPackage;
}

/** Begin of the address of a Node's headers, as far as its version. */
const HEADERS = '/download/release/v';

/** What a program asks of the board, as it is kept beside it. */
const KEPT = z.strictObject({
  version: z.literal(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().positive(),
  packedSha256: z.string().regex(/^[0-9a-f]{64}$/),
  needed: z.array(z.string().max(200)).max(100),
  versions: z.record(z.string(), z.string()),
});

/** A Node for boards, stripped and compressed. */
export interface NodeBinary extends BoardBinary {
  readonly needed: readonly string[];
  readonly versions: ReadonlyMap<string, string>;
}

/**
 * The Node that runs the agent on a board: its own where that is new enough, else one that comes along.
 * @throws E_BOARD_NODE where there is none, E_BOARD_LIBRARY when the board lacks what it needs, E_FILE_NOT_FOUND
 */
export async function nodeFor(
  board: string,
  facts: BoardFacts,
  options: BoardNodeOptions = {},
): Promise<Installation['node']> {
  const { node } = facts;
  if (options.file === undefined && node !== null && node.version !== null && !isOlder(node.version, FLOOR.node))
    return { path: node.path };
  const platform = facts.machine === 'aarch64' ? 'linux-arm64' : 'linux-x64';
  const binary = await readNode(board, platform, options);
  const lack = lackOf(binary, facts);
  if (lack !== undefined) throw new HoneError('E_BOARD_LIBRARY', { board, what: `${lack}, which Node.js needs` });
  return { binary };
}

/** A Node for boards of a platform: of a file, of the cache, or fetched by npm. @throws E_BOARD_NODE, E_FILE_NOT_FOUND */
export async function readNode(
  board: string,
  platform: NodePlatform,
  options: BoardNodeOptions = {},
): Promise<NodeBinary> {
  const wanted = NODE_PACKAGES[platform];
  const { file, cache = cacheFolder(), signal, fetch } = options;
  const fault = (reason: string) => {
    const spec = `${wanted.name}@${wanted.version}`;
    const command = `npm pack ${spec} && tar -xzf ${wanted.name}-${wanted.version}.tgz package/bin/node`;
    return new HoneError('E_BOARD_NODE', { board, reason, command });
  };
  if (file !== undefined) {
    const program = await readFile(file).catch((error: unknown) => {
      throw readError(file, error);
    });
    return pack(program, platform, (reason) => fault(`${file} ${reason}`), join(cache, hex('sha256', program)));
  }
  const place = join(cache, Buffer.from(wanted.sha512, 'base64').toString('hex').slice(0, 32));
  const kept = await readKept(place);
  if (kept !== undefined) return kept;
  const program = await fetchNode(wanted, signal, fetch).catch((error: Error) => {
    if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: 'fetching Node.js' });
    throw fault(`npm cannot bring one (${error.message.split('\n')[0].slice(0, 200)})`);
  });
  return pack(program, platform, (reason) => fault(`that of npm ${reason}`), place);
}

/** Strips, compresses and keeps a program. */
async function pack(
  program: Buffer,
  platform: NodePlatform,
  fault: (reason: string) => HoneError,
  place: string,
): Promise<NodeBinary> {
  const elf = readElf(program);
  if (elf === undefined) throw fault('is no program for 64-bit Linux, or not whole');
  const machine = platform === 'linux-arm64' ? 'aarch64' : 'x86_64';
  if (elf.machine !== machine) throw fault(`is for another processor (${elf.machine}; the board is ${machine})`);
  // Every Node carries the address of its own headers.
  const at = program.indexOf(HEADERS);
  const version = /^(\d+\.\d+\.\d+)\//.exec(
    program.toString('latin1', at + HEADERS.length, at + HEADERS.length + 16),
  )?.[1];
  if (at === -1 || version === undefined) throw fault('is no Node.js');
  if (isOlder(version, FLOOR.node)) throw fault(`is Node.js ${version}; ${FLOOR.node} or newer is needed`);
  const known = await readKept(place);
  if (known !== undefined) return known;
  const stripped = stripElf(program, elf);
  const packed = await promisify(gzip)(stripped, { level: 9 });
  const kept = {
    version: 1 as const,
    sha256: hex('sha256', stripped),
    sizeBytes: stripped.length,
    packedSha256: hex('sha256', packed),
    needed: [...elf.needed],
    versions: Object.fromEntries(elf.versions),
  };
  // Without a cache it is made again the next time.
  await keep(`${place}.gz`, packed)
    .then(() => keep(`${place}.json`, Buffer.from(JSON.stringify(kept))))
    .catch(() => {});
  return binaryOf(kept, async () => packed);
}

async function readKept(place: string): Promise<NodeBinary | undefined> {
  const text = await readFile(`${place}.json`, 'utf8').catch(() => undefined);
  const packed = await readFile(`${place}.gz`).catch(() => undefined);
  if (text === undefined || packed === undefined) return undefined;
  const kept = KEPT.safeParse(parsed(text)).data;
  // A cache that is damaged is none.
  if (kept === undefined || hex('sha256', packed) !== kept.packedSha256) return undefined;
  return binaryOf(kept, async () => packed);
}

function binaryOf(
  { sha256, sizeBytes, needed, versions }: z.infer<typeof KEPT>,
  packed: NodeBinary['packed'],
): NodeBinary {
  return { sha256, sizeBytes, needed, versions: new Map(Object.entries(versions)), packed };
}

/** What a board lacks of what a program needs. */
export function lackOf(
  { needed, versions }: Pick<ElfProgram, 'needed' | 'versions'>,
  facts: BoardFacts,
): string | undefined {
  const library = needed.find((name) => !facts.libraries.includes(name));
  if (library !== undefined) return library;
  for (const [kind, has] of [
    ['GLIBC', facts.libc.version],
    ['GLIBCXX', facts.glibcxx],
  ] as const) {
    const wanted = versions.get(kind);
    if (wanted !== undefined && isOlder(has, wanted)) return `${kind}_${wanted} (it has ${has} at most)`;
  }
  return undefined;
}

function cacheFolder(): string {
  const { HONE_CACHE_DIR: own, XDG_CACHE_HOME: cache } = process.env;
  return own ? join(own, 'node') : join(cache || join(homedir(), '.cache'), 'hone', 'node');
}

async function keep(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}.part`;
  await writeFile(fresh, bytes)
    .then(() => rename(fresh, path))
    .catch(async (error: unknown) => {
      await rm(fresh, { force: true });
      throw error;
    });
}

function hex(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
