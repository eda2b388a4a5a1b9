import { type Board, startBoard } from './board';

let board: Board;
beforeAll(async () => {
  board = await startBoard({ cpu: 'cortex-a76', model: 'Raspberry Pi 5 Model B Rev 1.0' });
});
afterAll(() => board?.close());

/** What a command of the board prints; fails where it does. */
async function told(command: string, as: 'pi' | 'root' = 'pi'): Promise<string> {
  const { code, stdout, stderr } = await board.run(command, { as });
  expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
  return stdout.trim();
}

test('is an arm64 board of the asked kind, with nothing of ours on it', async () => {
  expect(await told('uname -m; cat /etc/hostname; whoami')).toBe('aarch64\nboard\npi');
  expect(await told("tr -d '\\0' < /proc/device-tree/model")).toBe('Raspberry Pi 5 Model B Rev 1.0');
  expect(await told('cat /proc/cpuinfo')).toMatch(/asimddp[\s\S]*CPU part\t: 0xd0b/);
  expect((await board.run('command -v node')).code).not.toBe(0);
});

test('its clock goes right', async () => {
  expect(Math.abs(Number(await told('date +%s')) - Date.now() / 1000)).toBeLessThan(30);
});

test('runs what it is given, with exit codes and both outputs', async () => {
  expect(await board.run('cat; echo problem >&2; exit 3', { input: 'text\n' })).toEqual({
    code: 3,
    stdout: 'text\n',
    stderr: 'problem\n',
  });
});

test('has a manager of services for its unprivileged user, which may stay after a logout', async () => {
  expect(await told('systemctl --user is-system-running')).toBe('running');
  await told('loginctl enable-linger');
  expect(await told('loginctl show-user pi --property Linger')).toBe('Linger=yes');
});

test('its power sensor goes through the driver of the kernel', async () => {
  const sensor = '/sys/class/hwmon/hwmon0';
  expect(await told(`cat ${sensor}/name ${sensor}/in1_input ${sensor}/power1_input`)).toBe('ina219\n5000\n7500000');
  await board.setPower(5, 0.4);
  expect(await told(`cat ${sensor}/curr1_input ${sensor}/power1_input`)).toBe('400\n2000000');
  expect(await told('basename $(readlink /sys/class/hwmon/hwmon0/device/driver)')).toBe('ina2xx');
});

test('gets as hot as it is told', async () => {
  await board.setTemperature(83.5);
  expect(await told('cat /sys/class/thermal/thermal_zone0/type /sys/class/thermal/thermal_zone0/temp')).toBe(
    'cpu-emulated\n83500',
  );
});

test('is reached again after the cable was out', async () => {
  await board.setLink('off');
  expect((await board.run('true', { timeoutMs: 3000 })).code).not.toBe(0);
  await board.setLink('on');
  expect(await told('echo back')).toBe('back');
});

test('runs out of room, and has it again', async () => {
  await board.fillDisk();
  expect((await board.run('head -c 100000 /dev/zero > /home/pi/more')).code).not.toBe(0);
  await board.emptyDisk();
  expect(await told('head -c 100000 /dev/zero > /home/pi/more; stat -c %s /home/pi/more')).toBe('100000');
});

test('reaches neither this machine nor a network', async () => {
  // 10.0.2.2 would be the loopback of this machine.
  const { code } = await board.run(`busybox nc -w 2 10.0.2.2 ${board.port} < /dev/null`);
  expect(code).not.toBe(0);
});

test('keeps what was written, over a reboot and a power cut', async () => {
  await told('echo kept > /home/pi/file; sync');
  await board.reboot();
  expect(await told('cat /home/pi/file')).toBe('kept');
  const before = await board.bootId();
  const cut = board.run('sleep 60');
  await board.powerCut();
  expect((await cut).code).toBe(255);
  expect((await board.run('true', { timeoutMs: 3000 })).code).not.toBe(0);
  await board.powerOn();
  expect(await told('cat /home/pi/file')).toBe('kept');
  expect(await board.bootId()).not.toBe(before);
});
