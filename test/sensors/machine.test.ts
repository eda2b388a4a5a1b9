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
    'sys/class/hwmon/hwmon1/name': 'ina226\n',
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
    'power.ina226': [5.12, 'watts'],
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

describe('RAPL counters that may not be read', () => {
  // The counter is a folder: root, as whom tests may run, could read every file.
  const locked = { 'sys/class/powercap/intel-rapl:0/energy_uj/locked': '' };
  const board = {
    'sys/class/hwmon/hwmon1/name': 'ina226\n',
    'sys/class/hwmon/hwmon1/power1_input': '5120000\n',
  };
  test.each<[what: string, files: Record<string, string>, energy: object]>([
    ['tell what they need', {}, { reason: expect.stringMatching(/not readable \(they need root\)/) }],
    ['give way to one that may', { 'sys/class/powercap/intel-rapl:1/energy_uj': '1' }, { name: 'energy.intel-rapl:1' }],
    ['give way to a sensor of the board', board, { kind: 'gauge', name: 'power.ina226' }],
  ])('%s', (_, files, energy) => {
    fake({ ...locked, ...files });
    expect(openMachineSensors(root).energy).toMatchObject(energy);
  });
});

describe('power of a board by voltage and current', () => {
  const rail = (chip: string, channel: number, label: string, millivolts: number, milliamperes: number) => ({
    [`sys/class/hwmon/${chip}/in${channel}_label`]: label,
    [`sys/class/hwmon/${chip}/in${channel}_input`]: String(millivolts),
    [`sys/class/hwmon/${chip}/curr${channel}_input`]: String(milliamperes),
  });

  test('the rail that feeds the board counts alone (Jetson Orin)', () => {
    fake({
      'sys/class/hwmon/hwmon0/name': 'cpu_thermal',
      'sys/class/hwmon/hwmon1/name': 'ina3221',
      ...rail('hwmon1', 1, 'VDD_IN', 5000, 1200),
      ...rail('hwmon1', 2, 'VDD_CPU_GPU_CV', 5000, 400),
      'sys/class/hwmon/hwmon1/in7_label': 'sum of shunt voltages',
    });
    const { energy, read } = openMachineSensors(root);
    expect(energy).toMatchObject({ kind: 'gauge', name: 'power.VDD_IN', scope: 'board' });
    expect(read()).toContainEqual(expect.objectContaining({ name: 'power.VDD_IN', unit: 'watts', value: 6 }));
    rmSync(join(root, 'sys/class/hwmon/hwmon1/curr1_input'));
    expect(read()).toContainEqual(expect.objectContaining({ name: 'power.VDD_IN', value: null }));
  });

  test('else the rails of all chips are added (AGX Orin); channels that are not connected are left out', () => {
    fake({
      'sys/class/hwmon/hwmon1/name': 'ina3221',
      ...rail('hwmon1', 1, 'VDD_GPU_SOC', 20000, 100),
      ...rail('hwmon1', 2, 'NC', 5000, 999),
      'sys/class/hwmon/hwmon2/name': 'ina3221',
      ...rail('hwmon2', 1, 'VDDQ_VDD2_1V8AO', 1800, 500),
    });
    const { energy, read } = openMachineSensors(root);
    expect(energy).toMatchObject({ name: 'power.rails', scope: 'sum of rails' });
    const reading = read().find(({ unit }) => unit === 'watts');
    expect(reading?.value).toBeCloseTo(2.9, 9);
  });
});
