import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { quantityRows, rightLines, sensorLines } from '../../lib/cli/sensor-lines';
import { energyText, readingText } from '../../lib/cli/text';
import { openMachineSensors } from '../../lib/sensors/machine';
import type { InferenceEnergy, Reading, ReadingUnit } from '../../lib/telemetry/sample';
import { ina, rapl, unprivileged, useFakeRoot, zone } from '../sensors/fake-root';

test.each<[unit: ReadingUnit, value: number, text: string]>([
  ['bytes', 123456789, '123 MB'],
  ['celsius', 51.45, '51.5 °C'],
  ['hertz', 2.4e9, '2.40 GHz'],
  ['watts', 6, '6.00 W'],
  ['watts', 0.0432, '43.2 mW'],
  ['watts', -0.04, '-40.0 mW'],
  ['watts', 0, '0 W'],
  ['joules', 123456, '123 kJ'],
  ['joules', 0.00000321, '3.21 µJ'],
  ['ratio', 0.125, '12.5 %'],
  ['seconds', 1.5, '1.50 s'],
  ['count', 12500, '12.5 k'],
])('a reading in %s is shown in a unit that people read: %d as %s', (unit, value, text) => {
  const reading: Reading = { name: 'x', unit, kind: 'gauge', source: 'fake', value };
  expect(readingText(reading)).toBe(text);
});

test('a reading without value shows the reason', () => {
  const reading: Reading = {
    name: 'x',
    unit: 'watts',
    kind: 'gauge',
    source: 'fake',
    value: null,
    reason: 'it is gone',
  };
  expect(readingText(reading)).toBe('none (it is gone)');
});

test.each<[energy: Partial<InferenceEnergy>, text: string]>([
  [{ netJoules: null }, '12.3 mJ ± 12.3 µJ an inference (board, last 2.00 s)'],
  [{ netJoules: 0.01 }, '12.3 mJ ± 12.3 µJ an inference, 10.0 mJ above idle (board, last 2.00 s)'],
  [{ joules: null, reason: 'no inference in the window' }, 'none (no inference in the window)'],
])('energy of an inference: %j', (part, text) => {
  const whole = { scope: 'board', source: 'fake', joules: 0.0123, uncertaintyJoules: 1.23e-5, windowMs: 2000 };
  expect(energyText({ ...whole, inferences: 5, ...part } as InferenceEnergy)).toBe(text);
});

test('on a screen every quantity has one row, however many sensors there are', () => {
  const gauge = (name: string, unit: ReadingUnit, value: number): Reading => ({
    name,
    unit,
    kind: 'gauge',
    source: 'fake',
    value,
  });
  const joules = { unit: 'joules', kind: 'counter', source: 'fake' } as const;
  const none = { kind: 'gauge', source: 'fake', value: null } as const;
  expect(
    quantityRows([
      gauge('memory.process-rss', 'bytes', 5e7),
      gauge('memory.process-peak-rss', 'bytes', 6e7),
      gauge('thermal.acpitz-0', 'celsius', 27.8),
      { ...none, name: 'thermal.pch', unit: 'celsius', reason: 'it is off' },
      ...Array.from({ length: 16 }, (_, core) => gauge(`frequency.cpu${core}`, 'hertz', 2.4e9 - core * 1e8)),
      { ...gauge('power.VDD_IN', 'watts', 6), covers: 'board' },
      { ...gauge('power.VDD_SOC', 'watts', 1.5), covers: 'part' },
      { ...none, name: 'pressure', unit: 'ratio', reason: 'not told' },
      { ...joules, name: 'energy.package-0.core', value: 5 },
      { ...joules, name: 'energy', value: 12.5 },
    ]),
  ).toEqual([
    ['memory', 'process-rss 50.0 MB  process-peak-rss 60.0 MB'],
    ['thermal', 'acpitz-0 27.8 °C  pch none (it is off)'],
    ['frequency', '0.90 GHz to 2.40 GHz (16)'],
    ['power', 'VDD_IN 6.00 W (whole board)  VDD_SOC 1.50 W'],
    ['pressure', 'none (not told)'],
    ['joules since start', 'package-0.core 5.00 J  total 12.5 J'],
  ]);
});

describe('what doctor says of sensors', () => {
  const root = useFakeRoot();

  test('those that are there, and why others give nothing', () => {
    root.write({ ...zone(0, 'cpu-thermal', '51500'), ...ina('hwmon1', 'ina3221', [['VDD_IN', 5000, 1200]]) });
    const sensors = openMachineSensors(root.path);
    const lines = sensorLines(sensors.sources, sensors.read()).map(
      ({ name, given, text }) => `${name} ${given ? 'ok' : 'absent'} ${text}`,
    );
    expect(lines).toEqual([
      'thermal.cpu-thermal ok 51.5 °C',
      'power.VDD_IN ok 6.00 W (whole board)',
      'memory absent the kernel does not report it',
      'frequency absent no cpufreq driver (virtual machines usually have none)',
      expect.stringMatching(/^pressure absent the kernel has no pressure/),
      'energy ok counts (board: /sys/class/hwmon/hwmon1/{in1_input,curr1_input})',
      expect.stringMatching(/^rapl absent no RAPL counters/),
      'ina-iio absent no INA3221 chip in /sys/bus/i2c/devices',
      'pmic absent not a Raspberry Pi 5',
    ]);
    expect(rightLines(sensors)).toEqual([]);
  });

  test('which command opens what is closed', () => {
    root.write(rapl('intel-rapl:0', 'package-0', 1e6));
    chmodSync(join(root.path, 'sys/class/powercap/intel-rapl:0/energy_uj'), 0);
    const lines = unprivileged(() => rightLines(openMachineSensors(root.path)));
    expect(lines).toEqual([
      expect.stringMatching(/^rapl: Linux lets only root read .*; to read it as this user until the next start:$/),
      expect.stringMatching(/^ {2}sudo sh -c 'chgrp '\$\(id -gn\)' .*energy_uj && chmod g\+r .*energy_uj'$/),
    ]);
  });
});
