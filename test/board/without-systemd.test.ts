import { existsSync } from 'node:fs';
import { startBoard } from './board';

test.each([
  ['cortex-a72', true, ''],
  ['max', false, 'i8mm'],
] as const)('a board without systemd, on %s', async (cpu, cron, feature) => {
  const board = await startBoard({ cpu, init: 'busybox', cron, boot: 'cold' });
  try {
    const told = async (command: string) => (await board.run(command)).stdout.trim();
    expect(await told('cat /proc/1/comm; test -e /run/systemd/system || echo none')).toBe('init\nnone');
    expect(await told('cat /proc/cpuinfo')).toContain(feature);
    expect((await board.run('pidof cron')).code === 0).toBe(cron);
    expect(await told('cat /sys/class/hwmon/hwmon0/power1_input')).toBe('7500000');
    if (cron) {
      expect(await told('echo "@reboot touch /home/pi/was-started" | crontab -; crontab -l')).toContain('was-started');
      await board.reboot();
      expect(
        await told('for i in 1 2 3 4 5 6 7 8 9; do [ -e was-started ] && break; sleep 1; done; ls was-started'),
      ).toBe('was-started');
    }
  } finally {
    await board.close();
  }
  expect(existsSync(board.folder)).toBe(false);
});
