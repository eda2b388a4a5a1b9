import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { openMachineSensors } from '../../lib/sensors/machine';
import { rapl, unprivileged, useFakeRoot } from './fake-root';

const root = useFakeRoot();

test('what only root may read is null, and the source says which right opens it', () => {
  const energy = 'sys/class/powercap/intel-rapl:0/energy_uj';
  root.write(rapl('intel-rapl:0', 'package-0', 1e6));
  chmodSync(join(root.path, energy), 0);
  const sensors = unprivileged(() => openMachineSensors(root.path));
  const reason = `this user may not read /${energy}`;
  const readings = unprivileged(() => sensors.read());
  for (const name of ['energy.package-0', 'energy'])
    expect(readings).toContainEqual(expect.objectContaining({ name, value: null, reason }));
  expect(sensors.energy).toMatchObject({ scope: null, source: null, pollMs: null });
  const state = sensors.sources.find(({ id }) => id === 'rapl');
  expect(state).toMatchObject({ readings: ['energy.package-0'], reason });
  expect(state?.right?.why).toMatch(/only root/);
  expect(state?.right?.command).toMatch(/^sudo .*chgrp .*energy_uj/);
  expect(state?.right?.tmpfiles('hone')).toEqual(['z /sys/class/powercap/intel-rapl*:*/energy_uj 0440 root hone - -']);
});

test('a source that is well or not there asks for no right', () => {
  root.write(rapl('intel-rapl:0', 'package-0', 1e6));
  for (const { id, readings, reason, right } of openMachineSensors(root.path).sources) {
    expect(right).toBeNull();
    expect([id, reason === null]).toEqual([id, readings.length > 0]);
  }
});

test('this machine gives only finite numbers or reasons', () => {
  const sensors = openMachineSensors();
  for (const { name, value, reason } of sensors.read()) {
    expect([name, value === null || Number.isFinite(value)]).toEqual([name, true]);
    expect([name, value === null]).toEqual([name, reason !== undefined]);
  }
  const joules = sensors.read().find(({ name }) => name === 'energy');
  expect(joules?.value === null).toBe(sensors.energy.scope === null);
});
