import { type BoardFacts, parseFacts } from '../../lib/boards/facts';
import { type FindingOptions, findingsOf, isOlder } from '../../lib/boards/findings';

/** Facts of a board that nothing is wrong with, except what these lines say. */
function facts(...lines: string[]): BoardFacts {
  const fine = ['system=Linux', 'machine=aarch64', 'class=2', 'libc=glibc 2.28', 'libstdcxx=/lib/libstdc++.so.6.0.25'];
  const more = ['libraries=libstdc++.so.6', 'folder=/home/pi/.hone', 'free=1000000', 'write=yes', 'execute=yes'];
  const rest = ['root=ext4 rw', 'systemd_user=running', 'linger=yes', 'user=pi', 'clock=1000', 'memory=1000000'];
  return parseFacts([...lines, ...fine, ...more, ...rest, 'end=yes'].join('\n'))!;
}

const OPTIONS: FindingOptions = { port: 8700, asked: [999, 1001] };
const found = (...lines: string[]) =>
  findingsOf('pi5', facts(...lines), OPTIONS).map(({ fatal, error }) => [
    fatal ? 'fatal' : 'note',
    error.code,
    error.message,
  ]);

test('nothing is found where nothing is wrong', () => expect(found()).toEqual([]));

test.each([
  ['system=FreeBSD', 'fatal', 'E_BOARD_ARCHITECTURE', /runs FreeBSD/],
  ['machine=armv7l', 'fatal', 'E_BOARD_ARCHITECTURE', /armv7l/],
  ['machine=riscv64', 'fatal', 'E_BOARD_ARCHITECTURE', /riscv64/],
  ['class=1', 'fatal', 'E_BOARD_ARCHITECTURE', /32-bit ones under a 64-bit kernel/],
  ['libc=glibc 2.27', 'fatal', 'E_BOARD_LIBC', /glibc 2.27; glibc 2.28/],
  ['libc=none\nmusl=/lib/ld-musl-aarch64.so.1', 'fatal', 'E_BOARD_LIBC', /has musl/],
  ['libc=uclibc', 'fatal', 'E_BOARD_LIBC', /no glibc/],
  ['libraries=libc.so.6', 'fatal', 'E_BOARD_LIBRARY', /libstdc\+\+\.so\.6/],
  ['libstdcxx=/lib/libstdc++.so.6.0.24', 'fatal', 'E_BOARD_LIBRARY', /GLIBCXX_3.4.25/],
  ['lacking=sha256sum', 'fatal', 'E_BOARD_TOOL', /no sha256sum/],
  ['folder_name=odd', 'fatal', 'E_BOARD_FOLDER', /characters/],
  ['folder_kind=file', 'fatal', 'E_BOARD_FOLDER', /it is a file/],
  ['write=no', 'fatal', 'E_BOARD_FOLDER', /not writable$/],
  ['write=no\nroot=squashfs ro', 'fatal', 'E_BOARD_FOLDER', /root file system is read-only/],
  ['execute=no', 'fatal', 'E_BOARD_FOLDER', /noexec/],
  ['free=200000', 'fatal', 'E_BOARD_SPACE', /205 MB free/],
  ['port=taken', 'fatal', 'E_BOARD_PORT', /8700/],
  ['filesystem=tmpfs rw', 'note', 'E_BOARD_VOLATILE', /tmpfs/],
  ['root=overlay rw', 'note', 'E_BOARD_VOLATILE', /overlay/],
  ['clock=1200', 'note', 'E_BOARD_CLOCK', /199 s/],
  ['clock=1', 'note', 'E_BOARD_CLOCK', /-998 s/],
  ['selinux=1', 'note', 'E_BOARD_SELINUX', /enforces/],
  ['cgroup_memory=134217728', 'note', 'E_BOARD_MEMORY', /134 MB/],
  ['linger=no', 'note', 'E_BOARD_START', /logout/],
  ['systemd_user=offline', 'note', 'E_BOARD_START', /neither/],
  ['systemd_user=offline\ncontainer=/.dockerenv', 'note', 'E_BOARD_START', /container/],
  ['throttled=throttled=0x50005', 'note', 'E_BOARD_THROTTLED', /too little voltage, throttled/],
])('%j', (line, weight, code, message) => {
  expect(found(line)).toEqual([[weight, code, expect.stringMatching(message)]]);
});

test.each([
  'clock=1055',
  'systemd_user=offline\ncron=yes',
  'linger=no\ncron=yes',
  'port=taken\ninstalled=0.1.0',
  'lacking=setsid',
])('%j is no reason to say anything', (line) => expect(found(line)).toEqual([]));

test('versions compare by number', () => {
  expect([isOlder('2.4', '2.28'), isOlder('2.28', '2.28'), isOlder('2.100', '2.28'), isOlder('3', '2.28')]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
