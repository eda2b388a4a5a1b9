import { readConditions } from '../../lib/sensors/conditions';
import { readThrottling } from '../../lib/sensors/throttling';
import { useFakeRoot, zone } from './fake-root';

const root = useFakeRoot();

function policy(number: number, cpus: string, governor: string, kilohertz: readonly number[]): Record<string, string> {
  const at = `sys/devices/system/cpu/cpufreq/policy${number}`;
  const [least, most, slowest, fastest] = kilohertz;
  return {
    [`${at}/affected_cpus`]: `${cpus}\n`,
    [`${at}/scaling_governor`]: `${governor}\n`,
    [`${at}/scaling_min_freq`]: `${least}\n`,
    [`${at}/scaling_max_freq`]: `${most}\n`,
    [`${at}/cpuinfo_min_freq`]: `${slowest}\n`,
    [`${at}/cpuinfo_max_freq`]: `${fastest}\n`,
  };
}

test('a board tells its name, clocks, cores, swap and heat', () => {
  root.write({
    'proc/device-tree/model': 'Raspberry Pi 5 Model B Rev 1.0\0',
    'proc/meminfo': 'MemTotal:        8245312 kB\nSwapTotal:        524288 kB\nSwapFree:         500000 kB\n',
    'proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-3\n',
    ...policy(0, '0 1 2 3', 'ondemand', [1500000, 2400000, 1500000, 2400000]),
    ...zone(0, 'cpu-thermal', '51234'),
  });
  const found = readConditions(root.path);
  expect(found).toMatchObject({
    machine: { value: 'Raspberry Pi 5 Model B Rev 1.0' },
    memoryBytes: { value: 8245312 * 1024 },
    swapUsedBytes: { value: 24288 * 1024 },
    affinity: { value: '0-3' },
    clocks: { value: [{ cpus: '0-3', governor: 'ondemand', limitHz: [1.5e9, 2.4e9], hardwareHz: [1.5e9, 2.4e9] }] },
    powerMode: { value: null, reason: 'only a Jetson has one' },
  });
  expect(found.readings).toContainEqual(expect.objectContaining({ name: 'thermal.cpu-thermal', value: 51.234 }));
});

test('what an empty machine does not tell is null with the reason', () => {
  expect(readConditions(root.path)).toMatchObject({
    machine: { value: null, reason: expect.stringContaining('device tree') },
    pageBytes: { value: null, reason: expect.stringContaining('auxv') },
    memoryBytes: { value: null, reason: '/proc/meminfo has no MemTotal' },
    swapUsedBytes: { value: null, reason: '/proc/meminfo has no SwapTotal' },
    affinity: { value: null, reason: expect.stringContaining('/proc/self/status') },
    clocks: { value: null, reason: expect.stringContaining('cpufreq') },
    throttles: [],
  });
});

test('this machine tells pages, memory and cores', () => {
  const { pageBytes, memoryBytes, affinity } = readConditions();
  expect([4096, 16384, 65536]).toContain(pageBytes.value);
  expect(memoryBytes.value).toBeGreaterThan(1e8);
  expect(affinity.value).toMatch(/^[\d,-]+$/);
});

test('clusters of cores are listed as ranges; a policy that lacks a file is none', () => {
  root.write({
    ...policy(0, '0 1 2 3', 'schedutil', [300000, 1800000, 300000, 1800000]),
    ...policy(4, '4 6 7', 'performance', [300000, 2000000, 300000, 2200000]),
    'sys/devices/system/cpu/cpufreq/policy8/affected_cpus': '8\n',
  });
  expect(readConditions(root.path).clocks.value!.map(({ cpus }) => cpus)).toEqual(['0-3', '4,6-7']);
});

const THROTTLES: readonly (readonly [
  files: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, number>>,
])[] = [
  [
    // Undervoltage and a capped clock now, throttling since the start.
    { 'sys/devices/platform/soc/soc:firmware/get_throttled': '50003\n' },
    {
      undervoltage: 1,
      'undervoltage since the start': 1,
      'clock capped by the firmware': 1,
      'clock capped by the firmware since the start': 0,
      'throttled by the firmware': 0,
      'throttled by the firmware since the start': 1,
      'soft temperature limit': 0,
      'soft temperature limit since the start': 0,
    },
  ],
  [{ 'sys/devices/platform/soc/soc:firmware/get_throttled': 'zero\n' }, {}],
  [
    { 'sys/class/hwmon/hwmon2/name': 'rpi_volt\n', 'sys/class/hwmon/hwmon2/in0_lcrit_alarm': '1\n' },
    { 'undervoltage alarm of the supply': 1 },
  ],
  [
    { 'sys/class/hwmon/hwmon1/name': 'soctherm_oc\n', 'sys/class/hwmon/hwmon1/oc3_event_cnt': '7\n' },
    { 'over-current oc3': 7 },
  ],
  [
    {
      'sys/class/thermal/cooling_device0/type': 'cpufreq-cpu0\n',
      'sys/class/thermal/cooling_device0/cur_state': '2\n',
      'sys/class/thermal/cooling_device1/type': 'pwm-fan\n',
      'sys/class/thermal/cooling_device1/cur_state': '3\n',
    },
    { 'cores held back to cool (cpufreq-cpu0)': 2 },
  ],
  [{ 'sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count': '12\n' }, { 'cpu1 throttled for heat': 12 }],
  [{ 'sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count': '-1\n' }, {}],
];

test.each(THROTTLES)('%j tells %j', (files, expected) => {
  root.write(files);
  expect(Object.fromEntries(readThrottling(root.path).map(({ name, value }) => [name, value]))).toEqual(expected);
});
