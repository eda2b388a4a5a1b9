import { type Conditions, judgeConditions, type ThrottleSign } from '../../lib/telemetry/conditions';

const QUIET: Conditions = {
  machine: { value: 'board' },
  kernel: '6.6',
  pageBytes: { value: 4096 },
  memoryBytes: { value: 1e9 },
  swapUsedBytes: { value: 5e6 },
  affinity: { value: '0-3' },
  clocks: { value: [{ cpus: '0-3', governor: 'performance', limitHz: [1e9, 2e9], hardwareHz: [1e9, 2e9] }] },
  powerMode: { value: null, reason: 'none' },
  readings: [],
  throttles: [],
  load: 0.2,
  processors: 4,
};

function sign(kind: ThrottleSign['kind'], value: number): Conditions {
  return { ...QUIET, throttles: [{ name: 'heat', kind, value, source: '/sys/x' }] };
}

function clock(governor: string, most: number): Conditions {
  return { ...QUIET, clocks: { value: [{ cpus: '0-3', governor, limitHz: [1e9, most], hardwareHz: [1e9, 2e9] }] } };
}

test.each<[string, Conditions, Conditions, string, string[], string[]]>([
  ['nothing', QUIET, QUIET, 'steady', [], []],
  ['a flag that is set behind', QUIET, sign('flag', 1), 'disturbed', ['heat (/sys/x)'], []],
  ['a flag that was set before', sign('flag', 1), sign('flag', 0), 'disturbed', ['heat (/sys/x)'], []],
  ['a flag that stays clear', sign('flag', 0), sign('flag', 0), 'steady', [], []],
  ['a counter that stands still', sign('counter', 9), sign('counter', 9), 'steady', [], []],
  [
    'a counter that rose',
    sign('counter', 9),
    sign('counter', 12),
    'disturbed',
    ['heat: 3 times meanwhile (/sys/x)'],
    [],
  ],
  ['swap', QUIET, { ...QUIET, swapUsedBytes: { value: 25e6 } }, 'disturbed', ['20 MB went to swap meanwhile'], []],
  ['a little swap', QUIET, { ...QUIET, swapUsedBytes: { value: 5.5e6 } }, 'steady', [], []],
  [
    'load',
    { ...QUIET, load: 3.6 },
    QUIET,
    'disturbed',
    ['load 3.6 before the run on 4 cores, of which it needs 1'],
    [],
  ],
  ['a load that leaves a core', { ...QUIET, load: 3 }, QUIET, 'steady', [], []],
  ['a governor', QUIET, clock('ondemand', 2e9), 'steady', [], ['cores 0-3: governor ondemand, clocks follow the load']],
  ['a limit', QUIET, clock('performance', 1.5e9), 'steady', [], ['cores 0-3: held at 1.50 GHz of 2.00 GHz']],
])('%s', (_, before, after, verdict, reasons, notes) => {
  expect(judgeConditions(before, after, 1)).toEqual({ verdict, reasons, notes });
});
