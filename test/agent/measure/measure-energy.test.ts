import { measureEnergy } from '../../../lib/agent/measure/measure-energy';
import { openMachineSensors } from '../../../lib/sensors/machine';
import { rapl, useFakeRoot } from '../../sensors/fake-root';

const root = useFakeRoot();

test('without a sensor there is no figure, and the reason', async () => {
  const { energy } = openMachineSensors(root.path);
  expect(await measureEnergy(energy, () => {})).toEqual({
    scope: null,
    source: null,
    joules: null,
    reason: 'this machine has no energy sensor',
  });
});

/** A counter of package energy that follows a clock of its own. */
function fakeMachine() {
  let [joules, ms] = [0, 0];
  const pass = (span: number, watts: number) => {
    joules += (watts * span) / 1000;
    ms += span;
    root.write(rapl('intel-rapl:0', 'package-0', Math.round(joules * 1e6)));
  };
  pass(0, 0);
  const { energy } = openMachineSensors(root.path, () => ms * 1e6);
  const time = { nowMs: () => ms, pause: async (span: number) => pass(span, 5) };
  return { energy, pass, time };
}

test('joules of an inference, gross and above idle, of a counter of known power', async () => {
  const { energy, pass, time } = fakeMachine();
  const found = await measureEnergy(energy, () => pass(10, 20), time);
  expect(found).toMatchObject({
    scope: 'packages',
    joules: expect.closeTo(0.2, 9),
    netJoules: expect.closeTo(0.15, 9),
  });
  if (found.joules === null) throw new Error(found.reason);
  expect(found.windowMs).toBeGreaterThanOrEqual(2000);
  expect(found.windowMs).toBe(10 * found.inferences);
});

test('a source that stops answering gives no figure, and the reason', async () => {
  const { energy, pass, time } = fakeMachine();
  let left = 20;
  const run = () => {
    pass(10, 20);
    if (--left === 0) root.remove('sys/class/powercap/intel-rapl:0/energy_uj');
  };
  expect(await measureEnergy(energy, run, time)).toMatchObject({
    joules: null,
    reason: expect.stringContaining('energy_uj is not there'),
  });
});
