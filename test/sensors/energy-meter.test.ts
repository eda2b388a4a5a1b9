import { type MachineSensors, openMachineSensors } from '../../lib/sensors/machine';
import { ina, rapl, useFakeRoot } from './fake-root';

const root = useFakeRoot();

let seconds: number;
let sensors: MachineSensors;

function open(files: Readonly<Record<string, string>>): void {
  seconds = 100;
  root.write(files);
  sensors = openMachineSensors(root.path, () => seconds * 1e9);
}

/** Joules and longest time between values that the meter tells after some time with the machine in a new state, or the reason. */
function later(wait: number, files: Readonly<Record<string, string>>): unknown {
  seconds += wait;
  root.write(files);
  const { joules, reason, longestMs } = sensors.energy.take();
  return joules === null ? reason : [Number(joules.toFixed(6)), Number(longestMs.toFixed(6))];
}

/** Values that the meter counts while a function runs. */
function valuesOf(run: () => void): number {
  const before = sensors.energy.take().values;
  run();
  return Number((sensors.energy.take().values - before).toFixed(6));
}

function readingOf(name: string): unknown {
  const found = sensors.read().find((reading) => reading.name === name);
  return found?.value ?? found?.reason;
}

describe('counters', () => {
  const one = (joules: number, range?: number) => rapl('intel-rapl:0', 'package-0', joules * 1e6, range);

  test('count from the start; packages and their memory are added, cores are not', () => {
    const at = (joules: number) => ({
      ...one(joules),
      ...rapl('intel-rapl:0:0', 'core', joules * 10e6),
      ...rapl('intel-rapl:0:1', 'dram', joules * 1e5),
      ...rapl('intel-rapl:1', 'package-1', joules * 2e6),
    });
    open(at(1000));
    expect(sensors.energy.pollMs).toBeNull();
    expect(later(1, at(1010))).toEqual([10 + 1 + 20, 1]);
    expect(later(0.5, at(1012))).toEqual([37.2, 1]);
    expect(valuesOf(() => later(0.25, {}))).toBe(250);
    expect(readingOf('energy')).toBeCloseTo(37.2, 6);
    expect(readingOf('energy.package-1')).toBeCloseTo(24, 6);
    expect(readingOf('energy.package-0.core')).toBeCloseTo(120, 6);
  });

  test('go on where the hardware wraps', () => {
    const range = 65712.999613e6;
    open(one(65700, range));
    expect(later(1, one(7.000387, range))).toEqual([20, 1]);
    for (let turn = 1; turn <= 40; turn++)
      expect(later(20, one((7.000387 + turn * 30000) % 65712.999613, range))).toEqual([20 + turn * 30000, 1]);
  });

  test.each<[what: string, wait: number, joules: number, range: number | undefined, reason: RegExp]>([
    ['a gap in which it may have wrapped', 132, 1001, undefined, /not read for 132 s and may have wrapped unseen/],
    ['a counter that was set back', 1, 0, undefined, /stepped by 261000 in 1 s, which cannot be/],
    ['a step that no power explains', 1, 4000, undefined, /stepped by 3000 in 1 s/],
    ['a fall where the range is not known', 1, 999, Number.NaN, /where it wraps is not known/],
  ])('after %s the total starts again, and says so once', (_, wait, joules, range, reason) => {
    open(one(1000, range));
    expect(later(1, one(1000, range))).toEqual([0, 1]);
    expect(later(wait, one(joules, range))).toMatch(reason);
    expect(later(1, one(joules + 7, range))).toEqual([7, 0]);
  });

  test('of other sources show it in their own reading', () => {
    open(one(1000));
    seconds += 1;
    root.write(one(0));
    expect(readingOf('energy.package-0')).toMatch(/stepped by .*the total starts again/);
    expect(readingOf('energy.package-0')).toBe(0);
    // The meter still owes the news to who takes its total.
    expect(later(0, {})).toMatch(/stepped by/);
    expect(later(0, {})).toEqual([0, 1]);
  });

  test('that nobody reads but the meter do not wrap unseen', () => {
    open({ ...one(0), ...rapl('intel-rapl:0:0', 'core', 0) });
    for (let minute = 1; minute <= 5; minute++) later(60, rapl('intel-rapl:0:0', 'core', minute * 1e6));
    expect(readingOf('energy.package-0.core')).toBe(5);
  });

  test('that vanish become null and are taken up again', () => {
    open(one(1000));
    root.remove('sys/class/powercap/intel-rapl:0/energy_uj');
    expect(readingOf('energy')).toMatch(/energy_uj is not there/);
    expect(later(1, {})).toMatch(/energy_uj is not there/);
    expect(later(1, one(1005))).toEqual([5, 0]);
  });
});

describe('psys', () => {
  const at = (psys: number, packages: number) => ({
    ...rapl('intel-rapl:0', 'psys', psys * 1e6),
    ...rapl('intel-rapl:1', 'package-0', packages * 1e6),
  });

  test('is taken for the whole system while it counts more than the packages', () => {
    open(at(0, 0));
    for (let step = 1; step <= 5; step++) expect(later(1, at(step * 30, step * 20))).toEqual([step * 30, 1]);
    expect(sensors.energy).toMatchObject({ scope: 'system', source: '/sys/class/powercap/intel-rapl:0/energy_uj' });
  });

  test('that stands still gives way to the packages', () => {
    open(at(0, 0));
    expect(later(1, at(0, 4))).toEqual([0, 1]);
    expect(later(1, at(0, 8))).toMatch(/psys counts less than the packages/);
    expect(later(1, at(0, 12))).toEqual([12, 0]);
    expect(sensors.energy.scope).toBe('packages');
  });

  test('that was set back once is judged anew', () => {
    open(at(500, 500));
    expect(later(1, at(700, 600))).toEqual([200, 1]);
    expect(later(1, at(0, 700))).toMatch(/stepped by/);
    expect(later(1, at(150, 800))).toEqual([150, 0]);
    expect(later(1, at(300, 900))).toEqual([300, 1]);
    expect(sensors.energy.scope).toBe('system');
  });
});

describe('gauges', () => {
  const at = (milliwatts: number | string) => ina('hwmon1', 'ina3221', [['VDD_IN', 1000, milliwatts]]);

  test('are integrated by trapezoids; the interval is that of the reads where those are slower', () => {
    open({ ...at(4000), 'sys/class/hwmon/hwmon1/update_interval': '20' });
    expect(sensors.energy).toMatchObject({ scope: 'board', pollMs: 50 });
    expect(later(0.5, at(6000))).toEqual([2.5, 500]);
    expect(later(0.01, at(6000))).toEqual([2.56, 20]);
    seconds += 0.25;
    sensors.energy.poll();
    expect(later(0.1, at(2000))).toEqual([4.46, 250]);
    expect(readingOf('energy')).toBeCloseTo(4.46, 6);
    // No more values than the chip makes, and no more than were read.
    const polls = (count: number, wait: number) => () => {
      for (let poll = 0; poll < count; poll++) later(wait, {});
    };
    expect(valuesOf(polls(100, 0.005))).toBe(25);
    expect(valuesOf(polls(10, 0.1))).toBe(10);
  });

  test('give the energy of a known wave', () => {
    const watts = (time: number) => 5 + 3 * Math.sin(2 * Math.PI * time) + 2 * Math.sin(2 * Math.PI * 0.3 * time + 1);
    const current = 'sys/class/hwmon/hwmon1/curr1_input';
    const wave = (time: number) => ({ [current]: String(Math.round(watts(time) * 1000)) });
    open({ ...at(0), ...wave(0) });
    let joules = 0;
    for (let step = 1; step <= 200; step++) [joules] = later(0.1, wave(step * 0.1)) as [number, number];
    // Over 20 s, whole periods of both waves.
    expect(joules).toBeGreaterThan(100 * 0.999);
    expect(joules).toBeLessThan(100 * 1.001);
  });

  test('of several rails are added but for those that another one feeds', () => {
    open({
      ...ina('hwmon3', 'ina3221', [
        ['VDD_GPU_SOC', 20000, 100],
        ['VDD_CPU_CV', 20000, 200],
        ['VIN_SYS_5V0', 5000, 1000],
      ]),
      ...ina('hwmon4', 'ina3221', [['VDDQ_VDD2_1V8AO', 5000, 200]]),
    });
    expect(later(1, {})).toEqual([2 + 4 + 5, 1000]);
    expect(sensors.energy.source).toMatch(/^\/sys\/class\/hwmon\/hwmon3\/\{in1_input,curr1_input\} \+ .* \+ [^+]*$/);
  });

  test('of a slow chip are polled no faster than it answers, and such gaps are none', () => {
    open({ ...at(4000), 'sys/class/hwmon/hwmon1/update_interval': '2253' });
    expect(sensors.energy.pollMs).toBe(2253);
    expect(later(2.253, {})).toEqual([9.012, 2253]);
    expect(valuesOf(() => later(2.253, {}))).toBe(1);
    expect(later(7, {})).toMatch(/not read for 7 s/);
  });

  test.each([
    ['that is quick', 0.1, 50],
    ['that takes a millisecond', 1, 100],
    ['that takes longer than its worth', 10, 250],
  ])('of a bus %s are polled so that reading takes a hundredth of the time', (_, readMs, pollMs) => {
    root.write(at(4000));
    let calls = 0;
    // Two looks at the clock pass while the meter reads: half a read each.
    const { energy } = openMachineSensors(root.path, () => ++calls * (readMs / 2) * 1e6);
    expect(energy.pollMs).toBeCloseTo(pollMs, 6);
  });

  test('are not integrated over a span in which nobody looked', () => {
    open(at(4000));
    expect(later(1, at(4000))).toEqual([4, 1000]);
    expect(later(2.001, at(4000))).toMatch(/not read for 2 s; the total starts again/);
    expect(later(1, at(4000))).toEqual([4, 1000]);
  });

  test('nor over values that were refused', () => {
    open(at(4000));
    expect(later(1, at('?'))).toMatch(/holds '\?'/);
    expect(later(1, at(4000))).toEqual([0, 0]);
    expect(later(1, at(4000))).toEqual([4, 1000]);
  });

  test('below 0 by noise take nothing back', () => {
    open(at(-10));
    expect(later(1, at(-20))).toEqual([0, 1000]);
    expect(later(1, at(40))).toEqual([0.01, 1000]);
  });
});
