import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SLOTS, systemPaths } from '../../../lib/agent/system-paths';
import { packageRoot } from '../../../lib/engine/package-root';
import { raplSource } from '../../../lib/sensors/rapl';

const FOLDER = join(packageRoot(), 'deploy', 'systemd');
const FILES = readdirSync(FOLDER);
const SERVICES = FILES.filter((name) => name.endsWith('.service'));
const NODE = '/opt/hone/bin/node';
const text = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
const paths = systemPaths('/run/hone');

/** The values of a setting of a unit, in their order. */
function values(name: string, key: string): string[] {
  return text(name)
    .split('\n')
    .flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
}

test('there is a service for each role, and one that recovers', () => {
  expect(SERVICES.sort()).toEqual([
    ...['hone-front.service', 'hone-recover.service', 'hone-supervisor.service', 'hone-worker@.service'],
  ]);
});

test('sockets lie where the program looks for them, for those who may ask', () => {
  const socket = (name: string) =>
    ['ListenStream', 'SocketUser', 'SocketGroup', 'SocketMode'].map((key) => values(name, key)[0]);
  expect(socket('hone-supervisor.socket')).toEqual([paths.supervisor, 'hone', 'hone-control', '0660']);
  const worker = paths.worker(7).replace('7', '%i');
  expect(socket('hone-worker@.socket')).toEqual([worker, 'hone-front', 'hone-front', '0600']);
});

test('there is a slot for every worker', () => {
  const slots = Array.from({ length: SLOTS }, (_, slot) => `hone-worker@${slot}.socket`);
  expect(values('hone-workers.target', 'Wants')).toEqual([slots.join(' ')]);
});

test.each([
  ['hone-supervisor.service', 'hone', 'supervisor/supervisor-main.js'],
  ['hone-recover.service', 'hone', 'supervisor/supervisor-main.js --recover'],
  ['hone-front.service', 'hone-front', 'front/front-main.js'],
  ['hone-worker@.service', 'hone-model', 'worker/main.js /proc/self/fd/0'],
])('%s runs as %s what is there', (name, user, program) => {
  expect(values(name, 'User')).toEqual([user]);
  expect(values(name, 'ExecStart')).toEqual([
    expect.stringMatching(new RegExp(`^${NODE} .*/opt/hone/dist/lib/agent/${program}$`)),
  ]);
  expect(text('hone.sysusers')).toMatch(new RegExp(`^u ${user} `, 'm'));
  const source = join(packageRoot(), 'lib', 'agent', program.split(' ')[0].replace(/js$/, 'ts'));
  expect(readFileSync(source, 'utf8')).toContain('main()');
});

test('the rule of the RAPL counters is that of their source', () => {
  const lines = text('hone.tmpfiles').split('\n');
  for (const line of raplSource.right!.tmpfiles('hone-front')) expect(lines).toContain(line);
});

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
(hasAnalyze ? describe : describe.skip)(`systemd-analyze${hasAnalyze ? '' : ' (which is not here)'}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hone-units-'));
    mkdirSync(join(folder, 'units'));
    for (const name of FILES) writeFileSync(join(folder, 'units', name), text(name).replaceAll(NODE, process.execPath));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const analyze = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...args], {
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${join(folder, 'units')}:` },
      encoding: 'utf8',
    });
    return { status, said: stdout + stderr };
  };

  test('finds no fault in any unit', () => {
    const units = FILES.filter((name) => /\.(service|socket|target)$/.test(name)).map((name) =>
      name.replace('@', '@0'),
    );
    expect(units).toHaveLength(7);
    const { status, said } = analyze('verify', '--man=no', ...units);
    // Units of the machine itself may have faults of their own.
    expect([status, said.split('\n').filter((line) => line.includes('hone'))]).toEqual([0, []]);
  });

  test('finds a fault where there is one', () => {
    const broken = join(folder, 'hone-broken.service');
    writeFileSync(broken, '[Service]\nExecStart=/nowhere\nUmask=0022\n');
    expect(analyze('verify', '--man=no', broken).said).toMatch(/hone-broken/);
  });

  /** Calls that filters name, those of sets with them. */
  const calls = (words: readonly string[]): Set<string> =>
    new Set(
      words.flatMap((word) => {
        if (!word.startsWith('@')) return [word];
        const { said } = analyze('syscall-filter', '--no-pager', word);
        return [...calls(said.split('\n').flatMap((line) => /^ +(@?[\w-]+)$/.exec(line)?.[1] ?? []))];
      }),
    );

  // What Node and the engine call, as strace shows; what else they try they do without.
  const NEEDED =
    'accept4 clone3 close connect dup3 epoll_create1 epoll_pwait eventfd2 exit_group fstat futex getsockopt listen madvise mmap mprotect munmap openat pipe2 prlimit64 pread64 read readv recvmsg sendmsg write writev';

  test.each(SERVICES)('finds that %s leaves Node what it calls, and denies what it should not', (name) => {
    const filters = values(name, 'SystemCallFilter').map((filter) => filter.replace('~', '').split(' '));
    const [allowed, denied] = [calls(['@default', ...filters[0]]), calls(filters.slice(1).flat())];
    expect(NEEDED.split(' ').filter((call) => !allowed.has(call) || denied.has(call))).toEqual([]);
    const unwanted = [
      'mount',
      'setuid',
      'chown',
      ...(name === 'hone-worker@.service' ? ['kill', 'tgkill', 'shmget'] : []),
    ];
    expect(unwanted.filter((call) => allowed.has(call) && !denied.has(call))).toEqual([]);
  });

  test.each(SERVICES)('rates the exposure of %s at 2.0 or less', (name) => {
    const { said } = analyze('security', '--offline=true', '--no-pager', join(folder, 'units', name));
    const [, rating] = /Overall exposure level for \S+: ([\d.]+)/.exec(said)!;
    expect(Number(rating)).toBeLessThanOrEqual(2);
  });
});
