import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDestination } from '../../lib/boards/destination';
import { openLink } from '../../lib/boards/open-link';
import { probeBoard, probeReport, requireFit } from '../../lib/boards/probe';
import { CAN_MOUNT, SHELLS, shellLink } from './shell-link';
import { describeWithSsh, type SshServer, startSshServer } from './ssh-server';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hone-probe-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('the shell of busybox is tried beside the usual one', () => expect(SHELLS.length).toBeGreaterThan(0));

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('by %s', (_, shell) => {
  test('this machine, as Node knows it; nothing is left behind', async () => {
    const { facts } = await probeBoard(shellLink(shell, { HOME: home }));
    expect(facts).toMatchObject({
      system: 'Linux',
      machine: { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string],
      bits: 64,
      libc: { kind: 'glibc' },
      folder: { path: join(home, '.hone'), canWrite: true, canExecute: true, fault: null },
      user: { id: process.getuid!() },
      lacking: [],
      installed: [],
    });
    expect(facts.pageBytes).toBeGreaterThanOrEqual(4096);
    expect(facts.memoryBytes).toBeGreaterThan(1e8);
    expect(facts.cpu.cores).toBeGreaterThan(0);
    expect(facts.folder.freeBytes).toBeGreaterThan(0);
    expect(facts.glibcxx).toMatch(/^3\.4\.\d+$/);
    expect(readdirSync(home)).toEqual([]);
  });

  test('a folder that is there, one that is a file, one with odd characters above it', async () => {
    mkdirSync(join(home, '.hone/agent/0.9.0'), { recursive: true });
    const link = shellLink(shell, { HOME: home });
    expect((await probeBoard(link)).facts.installed).toEqual(['0.9.0']);
    writeFileSync(join(home, 'taken'), '');
    expect((await probeBoard(link, { folder: 'taken' })).facts.folder.fault).toMatch(/it is a file/);
    const odd = join(home, 'my home');
    mkdirSync(odd);
    expect((await probeBoard(shellLink(shell, { HOME: odd }))).facts.folder.fault).toMatch(/characters/);
  });

  test('a port that somebody listens on', async () => {
    const server = await new Promise<Server>((resolve) => {
      const made = createServer().listen(0, '127.0.0.1', () => resolve(made));
    });
    const { port } = server.address() as { port: number };
    const probe = await probeBoard(shellLink(shell, { HOME: home }), { port });
    await new Promise((resolve) => server.close(resolve));
    expect(() => requireFit(probe)).toThrow(expect.objectContaining({ code: 'E_BOARD_PORT' }));
    expect((await probeBoard(shellLink(shell, { HOME: home }), { port })).facts.portTaken).toBe(false);
  });

  (CAN_MOUNT ? test : test.skip)('a folder that no program may run from (needs the right to mount)', async () => {
    const prelude = `mount -t tmpfs -o noexec tmpfs ${home}`;
    const probe = await probeBoard(shellLink(['unshare', '-m', ...shell], { HOME: home }, prelude));
    expect(probe.facts.folder).toMatchObject({ canWrite: true, canExecute: false, filesystem: 'tmpfs' });
    expect(() => requireFit(probe)).toThrow(expect.objectContaining({ code: 'E_BOARD_FOLDER' }));
  });

  (CAN_MOUNT ? test : test.skip)('a folder that cannot be written (needs the right to mount)', async () => {
    const prelude = `mount -t tmpfs -o ro tmpfs ${home}`;
    const probe = await probeBoard(shellLink(['unshare', '-m', ...shell], { HOME: home }, prelude));
    expect(probe.facts.folder.canWrite).toBe(false);
    expect(() => requireFit(probe)).toThrow(expect.objectContaining({ code: 'E_BOARD_FOLDER' }));
  });
});

test.each(['../up', 'a b', 'x;id', '$(id)', '/', '', "it's", 'a\nb', 'x'.repeat(301)])(
  'folder %j is refused',
  async (folder) => {
    await expect(probeBoard(openLink({ kind: 'local' }), { folder })).rejects.toEqual(
      expect.objectContaining({ code: 'E_BOARD_FOLDER' }),
    );
  },
);

test('an answer that is no answer', async () => {
  const link = shellLink(['sh'], {}, 'uname() { exit 3; }; say() { exit 3; }; dd() { exit 3; }; printf() { exit 3; }');
  await expect(probeBoard(link)).rejects.toEqual(expect.objectContaining({ code: 'E_BOARD_ANSWER' }));
});

describeWithSsh('over ssh', () => {
  let server: SshServer;
  beforeAll(async () => {
    server = await startSshServer();
  });
  afterAll(() => server.close());

  test('the home is that of the board, and the report tells nothing of who and where', async () => {
    const probe = await probeBoard(openLink(parseDestination('board'), { config: server.config }));
    expect(probe.facts.folder.path).toBe(join(server.home, '.hone'));
    const report = JSON.stringify(probeReport(probe));
    expect(report).toContain('"kernel"');
    for (const secret of [server.home, server.folder, '127.0.0.1', 'pi5', 'unixSeconds'])
      expect(report).not.toContain(secret);
    expect(existsSync(join(server.home, '.hone'))).toBe(false);
  });

  test('names of users and their own groups stay out of the report', async () => {
    const { facts, findings } = await probeBoard(openLink(parseDestination('board'), { config: server.config }));
    const own = {
      ...facts,
      user: { name: 'alice', id: 1000, groups: ['alice', 'gpio'] },
      node: { path: '/home/alice/node', version: '20.1.0' },
    };
    const report = JSON.stringify(probeReport({ facts: own, findings }));
    expect(report).not.toContain('alice');
    expect(report).toContain('gpio');
  });
});
