import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireWritable, writeFileAtomically } from '../../lib/jobs/write-file';
import { distPath } from '../cli/hone';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hone-write-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('writes and replaces, and leaves nothing else', async () => {
  const path = join(folder, 'a.bin');
  for (const text of ['first', 'second, which is longer', '']) {
    await writeFileAtomically(path, Buffer.from(text));
    expect(readFileSync(path, 'utf8')).toBe(text);
  }
  expect(readdirSync(folder)).toEqual(['a.bin']);
});

test('writers at the same time: one of them wins, whole', async () => {
  const path = join(folder, 'a.bin');
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(100000));
  await Promise.all(texts.map((text) => writeFileAtomically(path, text)));
  expect(texts).toContain(readFileSync(path, 'utf8'));
  expect(readdirSync(folder)).toEqual(['a.bin']);
});

test('a link stays a link', async () => {
  mkdirSync(join(folder, 'real'));
  writeFileSync(join(folder, 'real/a.bin'), 'old');
  symlinkSync('real/a.bin', join(folder, 'link'));
  await writeFileAtomically(join(folder, 'link'), 'new');
  expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, 'real/a.bin'), 'utf8')).toBe('new');
  expect(readdirSync(join(folder, 'real'))).toEqual(['a.bin']);
});

test('a device stays a device', async () => {
  await writeFileAtomically('/dev/null', 'x');
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});

test.each([
  ['a folder that is not there', (root: string) => join(root, 'none', 'a.bin')],
  ['a folder as target', (root: string) => root],
  ['a file as folder', (root: string) => join(root, 'file', 'a.bin')],
])('%s', async (_, place) => {
  writeFileSync(join(folder, 'file'), 'kept');
  const path = place(folder);
  await expect(requireWritable(path)).rejects.toMatchObject({ code: 'E_FILE_WRITE', details: { path } });
  await expect(writeFileAtomically(path, 'x')).rejects.toMatchObject({ code: 'E_FILE_WRITE', details: { path } });
  expect(readdirSync(folder)).toEqual(['file']);
});

test('a full device is an error', async () => {
  await expect(writeFileAtomically('/dev/full', 'x')).rejects.toMatchObject({
    code: 'E_FILE_WRITE',
    message: expect.stringContaining('ENOSPC'),
  });
});

/** A program that writes `bytes` bytes of 'n' to a.bin, again and again when told. */
const writer = (bytes: number, forever: boolean) => `
  const { writeFileAtomically } = require(${JSON.stringify(distPath('lib/jobs/write-file.js'))});
  (async () => {
    do await writeFileAtomically(${JSON.stringify(join(folder, 'a.bin'))}, Buffer.alloc(${bytes}, 'n'));
    while (${forever} && !console.log('written'));
  })().catch((error) => { console.log(error.code); process.exitCode = 1; });`;

test('a disk that fills up in the middle leaves the old file and nothing else', () => {
  writeFileSync(join(folder, 'a.bin'), 'old');
  // A limit on file sizes stands for the full disk: writes beyond 8 kB fail.
  const command = `trap '' XFSZ; ulimit -f 8; exec "$0" -e "$1"`;
  const { stdout, status } = spawnSync('bash', ['-c', command, process.execPath, writer(1 << 20, false)], {
    encoding: 'utf8',
  });
  expect([stdout.trim(), status]).toEqual(['E_FILE_WRITE', 1]);
  expect(readFileSync(join(folder, 'a.bin'), 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['a.bin']);
});

test('killed while writing: the file is whole, and the next write clears the rest away', async () => {
  const path = join(folder, 'a.bin');
  for (let round = 0; round < 8; round++) {
    writeFileSync(path, 'old');
    const child = spawn(process.execPath, ['-e', writer(1 << 22, true)], { stdio: ['ignore', 'pipe', 'inherit'] });
    // In odd rounds during the first write, as soon as the part is there; in even ones at some later time.
    if (round % 2 === 1)
      while (readdirSync(folder).length === 1) await new Promise((resolve) => setTimeout(resolve, 1));
    else await once(child.stdout!, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const found = readFileSync(path, 'utf8');
    expect(found === 'old' || found === 'n'.repeat(1 << 22)).toBe(true);
  }
  writeFileSync(`${path}.${process.pid}-99.part`, 'of a writer that runs');
  await writeFileAtomically(path, 'new');
  expect(readdirSync(folder).sort()).toEqual(['a.bin', `a.bin.${process.pid}-99.part`]);
  expect(existsSync(path)).toBe(true);
});
