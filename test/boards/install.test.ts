import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDestination } from '../../lib/boards/destination';
import { installAgent, removeFrom, startAgentOn, stopAgentOn } from '../../lib/boards/install';
import type { Link } from '../../lib/boards/link';
import { openLink } from '../../lib/boards/open-link';
import { probeBoard } from '../../lib/boards/probe';
import { SHELLS, shellLink } from './shell-link';
import { describeWithSsh, startSshServer } from './ssh-server';
import { listing, toyInstallation } from './toy-agent';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hone-install-'));
});
afterEach(() => {
  endAgents(home);
  rmSync(home, { recursive: true, force: true });
});

const coded = (code: string, message: RegExp = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

/** Processes whose command line names the home of a test. */
function agents(place: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!(pid > 1)) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${place}/`) && pid !== process.pid;
      } catch {
        return false;
      }
    });
}

function endAgents(place: string): void {
  for (const pid of agents(place)) process.kill(pid, 'SIGKILL');
}

/** The whole story on one board, whose list of files is the same before and after. */
async function story(link: Link, place: string, folder?: string): Promise<void> {
  const options = folder === undefined ? {} : { folder };
  mkdirSync(join(place, 'own'));
  const before = listing(place);
  await installAgent(link, toyInstallation(), options);
  expect(agents(place)).toEqual([]);
  expect(await startAgentOn(link, options)).toMatchObject({ unchanged: false });
  const [pid] = agents(place);
  expect(agents(place)).toHaveLength(1);
  expect(await startAgentOn(link, options)).toMatchObject({ unchanged: true });
  expect(agents(place)).toEqual([pid]);
  expect((await probeBoard(link, options)).facts.installed).toHaveLength(1);
  await installAgent(link, toyInstallation('newer'), options);
  expect((await probeBoard(link, options)).facts.installed).toHaveLength(2);
  expect(await startAgentOn(link, options)).toMatchObject({ unchanged: false });
  expect(agents(place)).not.toContain(pid);
  expect((await probeBoard(link, options)).facts.installed).toHaveLength(1);
  expect(await stopAgentOn(link, options)).toBe(true);
  expect(agents(place)).toEqual([]);
  expect(await stopAgentOn(link, options)).toBe(false);
  await startAgentOn(link, { ...options, port: 8701 });
  expect(await removeFrom(link, options)).toEqual({ removed: true, left: [] });
  expect(agents(place)).toEqual([]);
  expect(listing(place)).toEqual(before);
  expect(await removeFrom(link, options)).toEqual({ removed: false, left: [] });
  expect(await stopAgentOn(link, options)).toBe(false);
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('by %s', (_, shell) => {
  const link = (env: NodeJS.ProcessEnv = {}) => shellLink(shell, { HOME: home, ...env });

  test('installed, started, replaced, stopped, removed: by hand', () => story(link(), home));
  test('in a folder of the user’s choice, whose parents go, too', () => story(link(), home, 'deep/er/hone'));

  test('an agent that does not start tells why, in text that a terminal may show', async () => {
    await installAgent(link(), toyInstallation());
    const starting = startAgentOn(link(), { words: ['--threads', '2'] });
    await expect(starting).rejects.toEqual(coded('E_AGENT_START', /no such \\x1b\[31mthreads/));
    expect(agents(home)).toEqual([]);
  });

  test('nothing is started where nothing is installed', async () => {
    mkdirSync(join(home, '.hone'));
    await expect(startAgentOn(link())).rejects.toEqual(coded('E_AGENT_START', /nothing is installed/));
    expect(listing(home)).toEqual(['.hone/']);
  });

  test('a folder that is not ours is not removed, and files of others stay', async () => {
    mkdirSync(join(home, 'music'));
    writeFileSync(join(home, 'music/song'), 'la');
    await expect(removeFrom(link(), { folder: 'music' })).rejects.toEqual(coded('E_BOARD_FOLDER', /no installation/));
    await installAgent(link(), toyInstallation(), { folder: 'music' });
    expect(await removeFrom(link(), { folder: 'music' })).toEqual({ removed: true, left: ['song'] });
    expect(listing(home)).toEqual(['music/', 'music/song']);
  });
});

/** A folder of programs that stand before those of the machine. */
function programs(scripts: Readonly<Record<string, string>>): string {
  const folder = join(home, 'bin');
  mkdirSync(folder);
  for (const [name, text] of Object.entries(scripts))
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return `${folder}:${process.env.PATH}`;
}

test('cron starts it with the board, beside the lines that were there', async () => {
  const table = join(home, 'table');
  const PATH = programs({
    pidof: '[ "$1" = cron ]',
    crontab: `case $1 in -l) cat ${table} 2>/dev/null ;; -r) rm ${table} ;; -) cat > ${table} ;; esac`,
  });
  const link = shellLink(['sh'], { HOME: home, PATH });
  await installAgent(link, toyInstallation());
  expect((await probeBoard(link)).facts.cron).toBe(true);
  expect((await startAgentOn(link)).by).toBe('cron');
  const ours = `@reboot ${home}/.hone/hone-agent serve --folder ${home}/.hone --port 0 >> ${home}/.hone/logs/agent.log 2>&1 # hone ${home}/.hone\n`;
  expect(readFileSync(table, 'utf8')).toBe(ours);
  await removeFrom(link);
  expect(existsSync(table)).toBe(false);
  writeFileSync(table, '5 4 * * * backup\n');
  await installAgent(link, toyInstallation());
  await startAgentOn(link);
  await startAgentOn(link, { port: 8702 });
  expect(readFileSync(table, 'utf8')).toBe(`5 4 * * * backup\n${ours.replace('--port 0', '--port 8702')}`);
  await removeFrom(link);
  expect(readFileSync(table, 'utf8')).toBe('5 4 * * * backup\n');
});

/** A systemctl that runs the one unit that it is told of. */
const SYSTEMCTL = `
[ "$1" = --user ] && shift
[ "$1" = -q ] && shift
units=$HOME/.config/systemd/user
echo "$@" >> $HOME/calls
case $1 in
  is-system-running) echo running ;;
  enable) mkdir -p $units/default.target.wants; ln -sf ../$3.service $units/default.target.wants/ ;;
  disable) rm -f $units/default.target.wants/$3.service; rmdir $units/default.target.wants ;;
  restart) command=$(sed -n 's/^ExecStart=//p' $units/$2.service); setsid $command > /dev/null 2>&1 < /dev/null & echo $! > $HOME/unit.pid ;;
  stop) kill $(cat $HOME/unit.pid); while kill -0 $(cat $HOME/unit.pid) 2>/dev/null; do sleep 0.1; done ;;
  is-active) kill -0 $(cat $HOME/unit.pid) 2>/dev/null ;;
  is-failed) ! kill -0 $(cat $HOME/unit.pid) 2>/dev/null ;;
esac`;

test.each([
  ['stays after logout', 'exit 0', 'session'],
  ['may not stay', 'exit 1', 'session'],
])("the user's systemd starts it where there is one: %s", async (_, loginctl, by) => {
  const PATH = programs({ systemctl: SYSTEMCTL, loginctl });
  const link = shellLink(['sh'], { HOME: home, PATH, XDG_CONFIG_HOME: '' });
  const before = listing(home);
  await installAgent(link, toyInstallation());
  expect((await probeBoard(link)).facts.systemdUser).toBe(true);
  // Whether it lingers is read from the machine itself, which says no.
  expect(await startAgentOn(link)).toMatchObject({ by, told: expect.stringMatching(/linger/), unchanged: false });
  const unit = readFileSync(join(home, '.config/systemd/user/hone-agent.service'), 'utf8');
  expect(unit).toContain(`ExecStart=${home}/.hone/hone-agent serve --folder ${home}/.hone --port 0\n`);
  expect(await startAgentOn(link)).toMatchObject({ by, unchanged: true });
  expect(await stopAgentOn(link)).toBe(true);
  expect(agents(join(home, '.hone'))).toEqual([]);
  expect(await stopAgentOn(link)).toBe(false);
  await startAgentOn(link);
  await removeFrom(link);
  expect(listing(home).filter((path) => path !== 'calls' && path !== 'unit.pid')).toEqual(before);
  expect(agents(join(home, '.hone'))).toEqual([]);
});

describeWithSsh('over ssh', () => {
  test('the whole story: the agent outlives its login', async () => {
    const server = await startSshServer();
    try {
      await story(openLink(parseDestination('board'), { config: server.config }), server.home);
    } finally {
      endAgents(server.home);
      await server.close();
    }
  });
});
