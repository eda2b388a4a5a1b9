import fc from 'fast-check';
import { parseFacts } from '../../lib/boards/facts';

const PI5 = `Welcome
system=Linux
machine=aarch64
kernel=6.12.25-v8-16k
class=2
libc=glibc 2.36
libstdcxx=/usr/lib/aarch64-linux-gnu/libstdc++.so.6.0.30
libraries= libc.so.6 libstdc++.so.6
node=/usr/bin/node
node_version=v20.19.2
page=16
memory=8253264
swap=204784
cgroup_memory=268435456
cores=4
implementers= 0x41  0x41  0x41  0x41
parts= 0xd0b  0xd0b  0xd0b  0xd0b
features= fp asimd asimddp
model=Raspberry Pi 5 Model B Rev 1.0
folder=/home/pi/.hone
free=1000000
filesystem=ext4 rw,noatime
root=ext4 ro,relatime
write=yes
execute=no
selinux=1
systemd_user=degraded
linger=yes
cron=asleep
governors= ondemand ondemand
cpuinfo_max_freq=2400000
thermal= cpu-thermal:48250 pmic:-5000 bad:x
throttled=throttled=0x50005
port=taken
user=pi
uid=1000
groups=pi sudo
lacking=sync
lacking=setsid
installed=0.1.0
clock=1796000000
memory=1
end=yes
`;

test('facts of a Raspberry Pi', () => {
  expect(parseFacts(PI5)).toMatchObject({
    machine: 'aarch64',
    bits: 64,
    libc: { kind: 'glibc', version: '2.36' },
    glibcxx: '3.4.30',
    libraries: ['libc.so.6', 'libstdc++.so.6'],
    node: { path: '/usr/bin/node', version: '20.19.2' },
    pageBytes: 16384,
    // What is said a second time does not count.
    memoryBytes: 8253264 * 1024,
    cgroupBytes: 1 << 28,
    cpu: { cores: 4, types: [{ implementer: '0x41', part: '0xd0b', count: 4 }], features: ['fp', 'asimd', 'asimddp'] },
    model: 'Raspberry Pi 5 Model B Rev 1.0',
    folder: { freeBytes: 1024e6, canWrite: true, canExecute: false, filesystem: 'ext4', fault: null },
    root: { filesystem: 'ext4', readOnly: true },
    selinux: 'enforcing',
    systemdUser: true,
    linger: true,
    cron: false,
    lacking: ['sync', 'setsid'],
    governors: ['ondemand'],
    temperatures: [
      { zone: 'cpu-thermal', celsius: 48.25 },
      { zone: 'pmic', celsius: -5 },
    ],
    throttled: 0x50005,
    portTaken: true,
    installed: ['0.1.0'],
  });
});

test.each([
  ['glibc 2.31', 'glibc', '2.31'],
  ['GNU C Library (Ubuntu GLIBC 2.27-3ubuntu1.6) stable release version 2.27.', 'glibc', '2.27'],
  ['musl libc (aarch64)', 'unknown', null],
])('library of C: %s', (text, kind, version) => {
  expect(parseFacts(`libc=${text}\nend=yes`)?.libc).toEqual({ kind, version });
});

test('musl is told by its loader', () => {
  expect(parseFacts('musl=/lib/ld-musl-aarch64.so.1\nend=yes')?.libc).toEqual({ kind: 'musl', version: null });
});

test('an answer that is cut off is none', () => {
  expect(parseFacts(PI5.replace('end=yes', ''))).toBeUndefined();
  expect(parseFacts('')).toBeUndefined();
});

test('whatever a board says, facts are printable, short and few', () => {
  const key = fc.constantFrom(...PI5.matchAll(/^([a-z_]+)=/gm)).map(([, name]) => name);
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.nat().map(String),
    fc.string({ minLength: 300, maxLength: 20000 }),
  );
  const line = fc.oneof(
    fc.tuple(key, value).map(([k, v]) => `${k}=${v}`),
    fc.string(),
  );
  const check = (found: unknown): void => {
    if (typeof found === 'string') {
      expect(found).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(found.length).toBeLessThanOrEqual(400);
    } else if (typeof found === 'number') expect(Number.isFinite(found)).toBe(true);
    else if (Array.isArray(found)) expect(found.length).toBeLessThanOrEqual(400);
    if (typeof found === 'object' && found !== null) for (const each of Object.values(found)) check(each);
  };
  fc.assert(
    fc.property(fc.array(line, { maxLength: 500 }), (lines) => check(parseFacts(`end=yes\n${lines.join('\n')}`))),
  );
});
