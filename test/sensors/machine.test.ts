import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openMachineSensors } from '../../lib/sensors/machine';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hone-sensors-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function fake(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

test('a machine without sensors gives nulls with reasons, never 0', () => {
  const readings = openMachineSensors(root).read();
  expect(readings.length).toBeGreaterThanOrEqual(6);
  for (const reading of readings) {
    expect(reading.value).toBeNull();
    expect(reading.reason).toMatch(/\w+ \w+/);
  }
});

test('a board with all sensors', () => {
  fake({
    'proc/self/status': 'Name:\tnode\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n',
    'proc/pressure/cpu': 'some avg10=12.50 avg60=0.00 avg300=0.00 total=1\n',
    'sys/class/thermal/thermal_zone0/type': 'cpu-thermal\n',
    'sys/class/thermal/thermal_zone0/temp': '51500\n',
    'sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq': '2400000\n',
    'sys/class/hwmon/hwmon1/name': 'ina3221\n',
    'sys/class/hwmon/hwmon1/power1_input': '5120000\n',
  });
  const values = Object.fromEntries(
    openMachineSensors(root)
      .read()
      .map(({ name, value, unit }) => [name, [value, unit]]),
  );
  expect(values).toEqual({
    'memory.rss': [1024 * 1024, 'bytes'],
    'memory.peak-rss': [2048 * 1024, 'bytes'],
    'thermal.cpu-thermal': [51.5, 'celsius'],
    'frequency.cpu0': [2.4e9, 'hertz'],
    'pressure.cpu': [0.125, 'ratio'],
    'power.ina3221': [5.12, 'watts'],
  });
});

test('RAPL is preferred, and a counter that vanishes becomes null', () => {
  fake({
    'sys/class/powercap/intel-rapl:0/name': 'package-0',
    'sys/class/powercap/intel-rapl:0/energy_uj': '2500000',
    'sys/class/powercap/intel-rapl:0/max_energy_range_uj': '262143328850',
  });
  const sensors = openMachineSensors(root);
  expect(sensors.energy).toMatchObject({ kind: 'counter', scope: 'package', wrapJoules: 262143.32885 });
  expect(sensors.read()).toContainEqual(
    expect.objectContaining({ name: 'energy.package-0', value: 2.5, unit: 'joules' }),
  );
  rmSync(join(root, 'sys/class/powercap/intel-rapl:0/energy_uj'));
  expect(sensors.read()).toContainEqual(expect.objectContaining({ name: 'energy.package-0', value: null }));
});
