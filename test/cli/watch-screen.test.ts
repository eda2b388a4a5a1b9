import { LatestFrames } from '../../lib/cli/watch';
import { frameLine, screenLines } from '../../lib/cli/watch-screen';
import type { LatencySummary, NodeSummary, TelemetryFrame } from '../../lib/telemetry/sample';

const summary = (count: number, p50Us: number): LatencySummary => ({
  ...{ count, p50Us, meanUs: p50Us * 1.1, p90Us: p50Us * 2, p99Us: p50Us * 3, maxUs: p50Us * 4 },
});

const node = (name: string, share: number): NodeSummary => ({
  ...{ name, op: 'conv_s8', kernel: 'conv_s8_avx512vnni', meanUs: 100 * share, share },
  since: { count: 7, meanUs: 90 * share, p50Us: 80 * share, p90Us: 100 * share, p99Us: 200 * share },
});

const memory = (bytes: number) => ({ pss: { bytes }, rss: { bytes: 2 * bytes } });

/** A frame of a window with 12 inferences of 2000. */
function frameOf(change: Partial<TelemetryFrame> = {}): TelemetryFrame {
  return {
    stamp: { bootId: 'b', monotonicNs: 1e9, wallMs: Date.UTC(2026, 0, 2) },
    ...{ model: 'digits', version: '3', inferences: 2000, waiting: 4, running: 1, windowMs: 1480, failures: 1 },
    memory: { weightBytes: 58e3, arenaBytes: 31e3, scratchBytes: 1e4 },
    processes: { front: memory(35e6), worker: memory(14e6), limit: { bytes: 512e6 } },
    ...{ request: summary(12, 900), queue: summary(12, 400), compute: summary(12, 50) },
    recent: [],
    since: {
      ...{ failures: 3, failuresByCode: { E_QUEUE_FULL: 2, E_DEADLINE: 1 }, nonFinite: 0 },
      ...{ request: summary(2000, 700), queue: summary(2000, 300), compute: summary(2000, 45) },
    },
    nodes: [node('conv1', 0.25), node('a/name/that/is/much/longer/than/a/screen/has/room/for/conv2', 0.75)],
    nodesAgeMs: 0,
    energy: { scope: null, source: null, joules: null, reason: 'no sensor' },
    readings: [{ name: 'thermal.cpu', unit: 'celsius', kind: 'gauge', source: 'fake', value: 51.5 }],
    ...change,
  };
}

const screen = (frames: readonly TelemetryFrame[], columns = 80, rows = 40) =>
  screenLines(frames, 'http://127.0.0.1:8700', columns, rows);

const HEAD = [
  'digits version 3: 2000 answered (8.11/s), 1 running, 4 waiting',
  '3 failed since start, 1 in the last window: 2 E_QUEUE_FULL, 1 E_DEADLINE',
  '                      count     mean     p50      p90      p99      max',
  'request  last 1.48 s     12   990 µs  900 µs  1.80 ms  2.70 ms  3.60 ms',
  '         since start   2000   770 µs  700 µs  1.40 ms  2.10 ms  2.80 ms',
  'queue    last 1.48 s     12   440 µs  400 µs   800 µs  1.20 ms  1.60 ms',
  '         since start   2000   330 µs  300 µs   600 µs   900 µs  1.20 ms',
  'compute  last 1.48 s     12  55.0 µs   50 µs   100 µs   150 µs   200 µs',
  '         since start   2000  49.5 µs   45 µs    90 µs   135 µs   180 µs',
  'model   weights 58.0 kB, arena 31.0 kB, scratch 10.0 kB',
  'energy  none (no sensor)',
];
const NODES = [
  'node                      kernel               mean   share    p50     p99',
  '…reen/has/room/for/conv2  conv_s8_avx512vnni  75 µs  75.0 %  60 µs  150 µs',
  'conv1                     conv_s8_avx512vnni  25 µs  25.0 %  20 µs   50 µs',
];

test('numbers since the start stand beside those of the window, whose length is the real one', () => {
  expect(screen([frameOf()])).toEqual([
    'one model at http://127.0.0.1:8700',
    '',
    ...HEAD,
    '',
    'slowest nodes; percentiles since start; mean and share in the last window',
    ...NODES,
    '',
    'processes  49.0 MB in all, front 35.0 MB, worker of digits 14.0 MB, limit 512 MB',
    'thermal    cpu 51.5 °C',
  ]);
});

test('several models share a screen; stale nodes are marked, what is not known has its reason', () => {
  const closed = { bytes: null, reason: 'closed' };
  const other = frameOf({
    ...{ model: 'other', windowMs: 0, inferences: 0, running: 0, waiting: 0, failures: 0, nodes: [], nodesAgeMs: null },
    ...{ request: null, queue: null, compute: null },
    since: { failures: 0, failuresByCode: {}, nonFinite: 5, request: null, queue: null, compute: null },
    processes: { front: memory(35e6), worker: { pss: closed, rss: closed }, limit: closed },
  });
  expect(screen([frameOf({ nodesAgeMs: 12000 }), other])).toEqual([
    '2 models at http://127.0.0.1:8700',
    '',
    ...HEAD,
    '',
    'slowest nodes; percentiles since start; mean and share stale by 12.0 s',
    ...NODES,
    '',
    'other version 3: 0 answered, 5 values not finite, 0 running, 0 waiting',
    '                        count  mean  p50  p90  p99  max',
    ...['request', 'queue  ', 'compute'].flatMap((phase) => [
      `${phase}  no window yet      0`,
      '         since start        0',
    ]),
    'model   weights 58.0 kB, arena 31.0 kB, scratch 10.0 kB',
    'energy  none (no sensor)',
    '',
    'processes  front 35.0 MB, worker of digits 14.0 MB, worker of other none (closed), limit 512 MB'
      .slice(0, 79)
      .concat('…'),
    'thermal    cpu 51.5 °C',
  ]);
});

test('a small screen has what matters most, and no line is wider', () => {
  const nodes = Array.from({ length: 50 }, (_, index) => node(`n${index}`, 1 / (index + 2)));
  const most = screen([frameOf({ nodes })], 80, 30);
  expect(most).toHaveLength(29);
  expect(most.filter((line) => /^n\d+ /.test(line)).map((line) => line.split(' ')[0])).toEqual(
    Array.from({ length: most.length - 18 }, (_, index) => `n${index}`),
  );
  const small = screen([frameOf({ nodes })], 40, 6);
  expect(small).toHaveLength(5);
  expect(Math.max(...small.map(({ length }) => length))).toBe(40);
});

test('a line for a log', () => {
  const head = '2026-01-02T00:00:00.000Z  digits version 3  2000 inferences';
  const tail = 'memory 49.0 MB in all, front 35.0 MB, worker of digits 14.0 MB, limit 512 MB';
  const since = 'since start p50 700 µs  p99 2.10 ms  3 failed';
  expect(frameLine(frameOf())).toBe(`${head}  p50 900 µs  p99 2.70 ms  ${since}  ${tail}`);
  expect(frameLine(frameOf({ request: null }))).toBe(`${head}  none in this window  ${since}  ${tail}`);
});

test('a model that is served no more leaves the screen at the tick after', () => {
  const latest = new LatestFrames();
  const told = () => latest.all().map(({ model, version, inferences }) => `${model}/${version}: ${inferences}`);
  const add = (tick: number, model: string, version: string) =>
    latest.add(frameOf({ model, version, inferences: tick, stamp: { ...frameOf().stamp, monotonicNs: tick } }));
  add(1, 'a', '1');
  add(1, 'a', '2');
  add(1, 'b', '1');
  expect(told()).toEqual(['a/1: 1', 'a/2: 1', 'b/1: 1']);
  add(2, 'a', '1');
  expect(told()).toEqual(['a/1: 2', 'a/2: 1', 'b/1: 1']);
  add(2, 'b', '1');
  add(3, 'a', '1');
  expect(told()).toEqual(['a/1: 3', 'b/1: 2']);
  expect(screen([])).toEqual(['no model at http://127.0.0.1:8700']);
});
