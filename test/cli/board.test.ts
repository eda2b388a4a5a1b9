import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installAgent } from '../../lib/boards/install';
import { shellLink } from '../boards/shell-link';
import { describeWithSsh, startSshServer } from '../boards/ssh-server';
import { toyInstallation } from '../boards/toy-agent';
import { hone, type Outcome } from './hone';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-board-'));
  mkdirSync(join(folder, 'home'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const board = (words: string, env: Record<string, string> = {}): Promise<Outcome> =>
  hone(['board', ...words.split(' ')], {
    env: { HONE_CONFIG_DIR: join(folder, 'config'), HOME: join(folder, 'home'), ...env },
  });

test('boards are added, listed, forgotten', async () => {
  expect((await board('list')).stdout).toMatch(/no boards yet/);
  expect((await board('add pi5 pi@raspberrypi.local')).code).toBe(0);
  expect((await board('add lab ssh://10.0.0.7:2222 --folder /opt/hone')).code).toBe(0);
  expect((await board('list --json')).json()).toEqual([
    { name: 'lab', destination: 'ssh://10.0.0.7:2222', folder: '/opt/hone' },
    { name: 'pi5', destination: 'pi@raspberrypi.local', folder: '~/.hone' },
  ]);
  expect((await board('list')).stdout).toMatch(/^name +destination +folder\nlab +ssh/);
  expect((await board('remove pi5 --forget')).stdout).toMatch(/forgot pi5/);
  expect((await board('list --json')).json()).toHaveLength(1);
  expect(readdirSync(join(folder, 'config'))).toEqual(['boards.json']);
});

test.each([
  ['rename pi5', 'E_USAGE'],
  ['add pi5', 'E_USAGE'],
  ['remove', 'E_USAGE'],
  ['remove pi5 --forget', 'E_BOARD_NAME'],
  ['add local pi@pi5', 'E_BOARD_NAME'],
  ['add pi5 pi:secret@pi5', 'E_BOARD_DESTINATION'],
  ['add pi5 pi@pi5 --folder ../x', 'E_BOARD_FOLDER'],
  ['probe pi@pi5:22', 'E_BOARD_DESTINATION'],
])('%s is refused with %s', async (words, code) => {
  const { stderr, code: exit } = await board(words);
  expect([exit, stderr]).toEqual([1, expect.stringContaining(`[${code}]`)]);
  expect(existsSync(join(folder, 'config/boards.json'))).toBe(false);
});

test('a list of another version is left alone', async () => {
  mkdirSync(join(folder, 'config'));
  const path = join(folder, 'config/boards.json');
  writeFileSync(path, '{"version":9}');
  expect((await board('add pi5 pi@pi5')).stderr).toContain('[E_BOARD_INVENTORY]');
  expect(readFileSync(path, 'utf8')).toBe('{"version":9}');
});

test('a probe of this machine, and a report that names nobody', async () => {
  const report = join(folder, 'report.json');
  const { code, stdout, stderr } = await board(`probe --report ${report}`);
  expect([code, stderr]).toEqual([0, expect.stringContaining('wrote ')]);
  expect(stdout).toMatch(/^board +/);
  const text = readFileSync(report, 'utf8');
  expect(JSON.parse(text)).toMatchObject({ version: 1, facts: { system: 'Linux' } });
  expect(text).not.toContain(folder);
  const { facts } = (await board('probe local --json')).json<{ facts: { folder: { path: string } } }>();
  expect(facts.folder.path).toBe(join(folder, 'home/.hone'));
});

test('what is installed is removed, and the name forgotten', async () => {
  const home = join(folder, 'home');
  await installAgent(shellLink(['sh'], { HOME: home }), toyInstallation());
  await board('add here local');
  expect((await board('remove here --json')).json()).toEqual({ removed: true, left: [], forgotten: true });
  expect(readdirSync(home)).toEqual([]);
  expect((await board('list --json')).json()).toEqual([]);
  expect((await board('remove local')).stdout).toMatch(/nothing of Hone/);
});

describeWithSsh('over ssh', () => {
  test('the board is asked by its name', async () => {
    const server = await startSshServer();
    try {
      await board(`add test ssh://127.0.0.1:${server.port}`);
      const { facts } = (await board('probe test --json', { HONE_SSH_CONFIG: server.config })).json<{
        facts: { folder: { path: string } };
      }>();
      expect(facts.folder.path).toBe(join(server.home, '.hone'));
    } finally {
      await server.close();
    }
  });
});
