import { openMachineSensors } from '../../lib/sensors/machine';
import { SENSOR_SOURCES } from '../../lib/sensors/sources';
import { iio, ina, rapl, useFakeRoot, zone } from './fake-root';

const root = useFakeRoot();

interface Case {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  /** Value of each reading by name, or what its reason holds. */
  readonly readings: Readonly<Record<string, number | RegExp>>;
  /** What the energy of the machine is taken from. */
  readonly scope: string | null;
}

const CPUS = 'sys/devices/system/cpu';
const ABSENT = {
  memory: /does not report/,
  thermal: /no thermal zone/,
  frequency: /no cpufreq driver/,
  pressure: /no pressure stall/,
  energy: /no energy sensor/,
};

const CASES: readonly Case[] = [
  { what: 'nothing at all', files: {}, readings: ABSENT, scope: null },
  {
    what: 'memory, pressure, clocks',
    files: {
      'proc/self/status': 'Name:\tnode\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n',
      'proc/pressure/cpu': 'some avg10=12.50 avg60=0.00 avg300=0.00 total=1\n',
      [`${CPUS}/cpu0/cpufreq/scaling_cur_freq`]: '2400000\n',
      [`${CPUS}/cpu1/cpufreq/scaling_cur_freq`]: '<unknown>\n',
      [`${CPUS}/cpu10/cpufreq/scaling_cur_freq`]: '0\n',
      [`${CPUS}/cpu2/online`]: '0\n',
    },
    readings: {
      'memory.process-rss': 1024 * 1024,
      'memory.process-peak-rss': 2048 * 1024,
      'pressure.cpu': 0.125,
      'frequency.cpu0': 2.4e9,
      'frequency.cpu1': /cpu1\/.* holds '<unknown>', not a decimal number/,
      'frequency.cpu10': /gives 0, outside of 1000000 to 10000000000/,
    },
    scope: null,
  },
  {
    what: 'files of another form',
    files: { 'proc/pressure/cpu': 'full avg10=1.00\n', 'proc/self/status': 'VmRSS: 8 kB\n' },
    readings: {
      'pressure.cpu': /no line "some avg10/,
      'memory.process-rss': 8192,
      'memory.process-peak-rss': /has no VmHWM/,
    },
    scope: null,
  },
  {
    what: 'thermal zones of one type, among others, in the order of their numbers',
    files: {
      ...zone(0, 'acpitz', '27800'),
      ...zone(10, 'x86_pkg_temp', '51500'),
      ...zone(2, 'acpitz', '29000'),
      'sys/class/thermal/cooling_device0/type': 'Processor',
    },
    readings: { 'thermal.acpitz-0': 27.8, 'thermal.acpitz-1': 29, 'thermal.x86_pkg_temp': 51.5 },
    scope: null,
  },
  {
    what: 'a type that looks like a numbered one keeps its name',
    files: { ...zone(0, 'gpu', '1000'), ...zone(1, 'gpu', '2000'), ...zone(2, 'gpu-0', '3000') },
    readings: { 'thermal.gpu-1': 1, 'thermal.gpu-2': 2, 'thermal.gpu-0': 3 },
    scope: null,
  },
  {
    what: 'sentinels, hexadecimal and empty text, a zone without type, one that is off',
    files: {
      ...zone(0, 'cpu-thermal', '-274000'),
      ...zone(1, 'soc', '-274000000'),
      ...zone(2, 'pch', '0x10'),
      ...zone(3, 'empty', ''),
      ...zone(4, 'hot', '200001'),
      ...zone(5, 'cold', '-40000'),
      'sys/class/thermal/thermal_zone6/temp': '1e3',
      'sys/class/thermal/thermal_zone7/type': 'off',
    },
    readings: {
      'thermal.cpu-thermal': /gives -274, outside of -60 to 200/,
      'thermal.soc': /gives -274000, outside/,
      'thermal.pch': /holds '0x10', not a decimal number/,
      'thermal.empty': /holds '', not a decimal/,
      'thermal.hot': /gives 200.001, outside/,
      'thermal.cold': -40,
      'thermal.thermal_zone6': /holds '1e3'/,
      'thermal.off': /thermal_zone7\/temp is not there/,
    },
    scope: null,
  },
  {
    what: 'two packages with memory, cores and graphics: no part is added to its package',
    files: {
      ...rapl('intel-rapl:0', 'package-0', 1e6),
      ...rapl('intel-rapl:0:0', 'core', 1e6),
      ...rapl('intel-rapl:0:1', 'dram', 1e6),
      ...rapl('intel-rapl:1', 'package-1', 5e6),
      ...rapl('intel-rapl:1:0', 'core', 5e6),
      ...rapl('intel-rapl:1:1', 'dram', 5e6),
      'sys/class/powercap/intel-rapl/enabled': '1',
    },
    readings: {
      'energy.package-0': 0,
      'energy.package-0.core': 0,
      'energy.package-0.dram': 0,
      'energy.package-1': 0,
      'energy.package-1.core': 0,
      'energy.package-1.dram': 0,
      energy: 0,
    },
    scope: 'packages',
  },
  {
    what: 'psys as the first zone',
    files: {
      ...rapl('intel-rapl:0', 'psys', 9e6),
      ...rapl('intel-rapl:1', 'package-0', 5e6),
      ...rapl('intel-rapl:1:0', 'uncore', 5e6),
    },
    readings: { 'energy.psys': 0, 'energy.package-0': 0, 'energy.package-0.uncore': 0, energy: 0 },
    scope: 'system',
  },
  {
    what: 'the MMIO driver shows a package once more',
    files: { ...rapl('intel-rapl:0', 'package-0', 1), ...rapl('intel-rapl-mmio:0', 'package-0', 1) },
    readings: { 'energy.package-0': 0, energy: 0 },
    scope: 'packages',
  },
  {
    what: 'the MMIO driver alone, with two dies',
    files: {
      ...rapl('intel-rapl-mmio:0', 'package-0-die-0', 1),
      ...rapl('intel-rapl-mmio:1', 'package-0-die-1', 1),
    },
    readings: { 'energy.package-0-die-0': 0, 'energy.package-0-die-1': 0, energy: 0 },
    scope: 'packages',
  },
  {
    what: 'one package that gives nothing: the other alone would be half of the truth',
    files: {
      ...rapl('intel-rapl:0', 'package-0', 1e6),
      ...rapl('intel-rapl:1', 'package-1', 1e6),
      'sys/class/powercap/intel-rapl:1/energy_uj': 'garbage',
    },
    readings: { 'energy.package-0': 0, 'energy.package-1': /'garbage'/, energy: /intel-rapl:1\/energy_uj/ },
    scope: null,
  },
  {
    what: 'Jetson Orin NX and Nano: the supply of the module counts alone',
    files: {
      'sys/class/hwmon/hwmon0/name': 'cpu_thermal',
      ...ina('hwmon1', 'ina3221', [
        ['VDD_IN', 5000, 1200],
        ['VDD_CPU_GPU_CV', 5000, 400],
        ['VDD_SOC', 5000, 300],
      ]),
      'sys/class/hwmon/hwmon1/in7_label': 'sum of shunt voltages',
      'sys/class/hwmon/hwmon1/in7_input': '3',
    },
    readings: { 'power.VDD_IN': 6, 'power.VDD_CPU_GPU_CV': 2, 'power.VDD_SOC': 1.5, energy: 0 },
    scope: 'board',
  },
  {
    what: 'AGX Orin: the sum of the rails but that which one of them feeds; what is not connected is left out',
    files: {
      ...ina('hwmon3', 'ina3221', [
        ['VDD_GPU_SOC', 20000, 100],
        ['VDD_CPU_CV', 20000, 200],
        ['VIN_SYS_5V0', 5000, 1000],
      ]),
      ...ina('hwmon4', 'ina3221', [
        ['NC', 5000, 999],
        ['VDDQ_VDD2_1V8AO', 5000, 200],
        // Free on the board: no label, no answer.
        ['', '', ''],
      ]),
      ...ina('hwmon5', 'ina3221', [['off', 5000, 999]]),
      'sys/class/hwmon/hwmon5/in1_enable': '0',
    },
    readings: {
      'power.VDD_GPU_SOC': 2,
      'power.VDD_CPU_CV': 4,
      'power.VIN_SYS_5V0': 5,
      'power.VDDQ_VDD2_1V8AO': 1,
      energy: 0,
    },
    scope: 'rails',
  },
  {
    what: 'a rail with a label that gives nothing is missing in the sum',
    files: {
      ...ina('hwmon1', 'ina3221', [
        ['A', 5000, 100],
        ['B', 5000, ''],
      ]),
      'sys/class/hwmon/hwmon1/in2_enable': '1',
    },
    readings: { 'power.A': 0.5, 'power.B': /not a decimal number/, energy: /curr2_input holds ''/ },
    scope: null,
  },
  {
    what: 'a chip that gives the power of each channel',
    files: {
      'sys/class/hwmon/hwmon1/name': 'ina3221',
      'sys/class/hwmon/hwmon1/power1_input': '1000000',
      'sys/class/hwmon/hwmon1/in1_label': 'A',
      'sys/class/hwmon/hwmon1/power2_input': '2000000',
    },
    readings: { 'power.A': 1, 'power.ina3221-2': 2, energy: 0 },
    scope: 'rails',
  },
  {
    what: 'AGX Thor: one INA238 without label at the supply',
    files: {
      'proc/device-tree/model': 'NVIDIA Jetson AGX Thor Developer Kit\0',
      'sys/class/hwmon/hwmon5/name': 'ina238',
      'sys/class/hwmon/hwmon5/power1_input': '43750000',
      ...ina('hwmon6', 'ina3221', [['VDD_GPU', 12000, 500]]),
    },
    readings: { 'power.VIN': 43.75, 'power.VDD_GPU': 6, energy: 0 },
    scope: 'board',
  },
  {
    what: 'Jetson Nano with JetPack 4',
    files: iio('6-0040', [
      ['POM_5V_IN', 2500],
      ['POM_5V_GPU', 400],
      ['POM_5V_CPU', 800],
    ]),
    readings: { 'power.POM_5V_IN': 2.5, 'power.POM_5V_GPU': 0.4, 'power.POM_5V_CPU': 0.8, energy: 0 },
    scope: 'board',
  },
  {
    what: 'AGX Xavier with JetPack 4: two chips, no total',
    files: {
      ...iio('1-0040', [
        ['GPU', 1000],
        ['CPU', 2000],
        ['SOC', 3000],
      ]),
      ...iio('1-0041', [
        ['CV', 0],
        ['VDDRQ', 500],
        ['SYS5V', 2500],
      ]),
    },
    readings: {
      'power.GPU': 1,
      'power.CPU': 2,
      'power.SOC': 3,
      'power.CV': 0,
      'power.VDDRQ': 0.5,
      'power.SYS5V': 2.5,
      energy: 0,
    },
    scope: 'rails',
  },
  {
    what: 'an INA226 that gives its power, with a label of the device',
    files: {
      'sys/class/hwmon/hwmon1/name': 'ina226\n',
      'sys/class/hwmon/hwmon1/label': 'supply\n',
      'sys/class/hwmon/hwmon1/power1_input': '5120000\n',
    },
    readings: { 'power.supply': 5.12, energy: 0 },
    scope: 'rail',
  },
  {
    what: 'two chips of one kind without labels; one gives millivolts and milliamperes',
    files: {
      'sys/class/hwmon/hwmon1/name': 'ina219\n',
      'sys/class/hwmon/hwmon1/power1_input': '2500000\n',
      'sys/class/hwmon/hwmon2/name': 'ina219\n',
      'sys/class/hwmon/hwmon2/power1_input': '500000\n',
      ...ina('hwmon3', 'ina209', [['', 12000, 250]]),
    },
    readings: { 'power.ina219-0': 2.5, 'power.ina219-1': 0.5, 'power.ina209': 3, energy: 0 },
    scope: 'rails',
  },
  {
    what: 'absurd power, voltage and text: the rest is no sum of rails any more',
    files: {
      ...ina('hwmon1', 'ina3221', [
        ['A', 5000, 'abc'],
        ['B', 5000, -800],
        ['C', 120000, 1],
      ]),
      'sys/class/hwmon/hwmon2/name': 'ina226\n',
      'sys/class/hwmon/hwmon2/power1_input': '2000000000\n',
      ...ina('hwmon3', 'ina3221', [['D', 5000, -8]]),
    },
    readings: {
      'power.A': /curr1_input holds 'abc'/,
      'power.B': /gives -4, outside of -0.5 to 1000: the shunt may be connected the wrong way round/,
      'power.C': /in3_input gives 120, outside of -1 to 100/,
      'power.ina226': /gives 2000, outside of -0.5 to 1000$/,
      'power.D': -0.04,
      energy: /curr1_input holds 'abc'/,
    },
    scope: null,
  },
  {
    what: 'the supply of the board goes before what the processor counts',
    files: { ...rapl('intel-rapl:0', 'package-0', 1), ...ina('hwmon1', 'ina3221', [['VDD_IN', 12000, 500]]) },
    readings: { 'energy.package-0': 0, 'power.VDD_IN': 6, energy: 0 },
    scope: 'board',
  },
  {
    what: 'Raspberry Pi 5: its power chip is named, and why it is not read',
    files: { 'proc/device-tree/model': 'Raspberry Pi 5 Model B Rev 1.0\0' },
    readings: { 'power.pmic': /ioctl calls of \/dev\/vcio.*use a meter/, energy: /\/dev\/vcio/ },
    scope: null,
  },
  {
    what: 'Raspberry Pi 4 has none',
    files: { 'proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.5\0' },
    readings: { energy: /no energy sensor/ },
    scope: null,
  },
];

test.each(CASES)('$what', ({ files, readings, scope }) => {
  root.write(files);
  const sensors = openMachineSensors(root.path, () => 0);
  const found = sensors.read();
  const names = found.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const quantities = new Set(Object.keys(readings).map((name) => name.split('.')[0].replace('power', 'energy')));
  const absent = Object.entries(ABSENT).filter(([quantity]) => !quantities.has(quantity));
  const expected = { ...Object.fromEntries(absent), ...readings };
  expect([...names].sort()).toEqual(Object.keys(expected).sort());
  for (const { name, value, reason, unit, kind } of found) {
    const wanted = expected[name];
    if (typeof wanted === 'number') expect(value).toBeCloseTo(wanted, 9);
    else expect([value, reason]).toEqual([null, expect.stringMatching(wanted)]);
    expect(kind).toBe(unit === 'joules' ? 'counter' : 'gauge');
  }
  expect(sensors.energy.scope).toBe(scope);
});

test.each<[what: string, files: Readonly<Record<string, string>>, covers: Readonly<Record<string, string>>]>([
  [
    'the supply of a module',
    ina('hwmon1', 'ina3221', [
      ['VDD_IN', 5000, 1200],
      ['VDD_SOC', 5000, 300],
    ]),
    { 'power.VDD_IN': 'board', 'power.VDD_SOC': 'part' },
  ],
  [
    'rails beside each other, and one within another',
    ina('hwmon1', 'ina3221', [
      ['VDD_CPU_CV', 20000, 200],
      ['VIN_SYS_5V0', 5000, 1000],
      ['VDDQ_VDD2_1V8AO', 5000, 200],
    ]),
    { 'power.VDD_CPU_CV': 'rail', 'power.VIN_SYS_5V0': 'rail', 'power.VDDQ_VDD2_1V8AO': 'part' },
  ],
  [
    'the domains of a processor',
    {
      ...rapl('intel-rapl:0', 'package-0', 1),
      ...rapl('intel-rapl:0:0', 'core', 1),
      ...rapl('intel-rapl:0:1', 'dram', 1),
      ...rapl('intel-rapl:1', 'psys', 1),
    },
    {
      'energy.package-0': 'package',
      'energy.package-0.core': 'part',
      'energy.package-0.dram': 'memory',
      'energy.psys': 'system',
    },
  ],
])('readings tell what they cover: %s', (_, files, covers) => {
  root.write(files);
  const found = openMachineSensors(root.path)
    .read()
    .filter((reading) => reading.covers !== undefined);
  expect(Object.fromEntries(found.map((reading) => [reading.name, reading.covers]))).toEqual(covers);
});

test('every row of the table is found in some machine above, and gives what it declares', () => {
  const seen = new Set<string>();
  for (const { files } of CASES) {
    root.write(files);
    for (const source of SENSOR_SOURCES)
      for (const { unit, kind } of source.find({ root: root.path, monotonicNs: () => 0 })) {
        seen.add(source.id);
        expect([unit, kind]).toEqual([source.unit, source.kind]);
      }
    for (const path of Object.keys(files)) root.remove(path);
  }
  expect([...seen].sort()).toEqual(SENSOR_SOURCES.map(({ id }) => id).sort());
});
