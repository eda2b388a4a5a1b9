import { type EnergyTotal, energyPerInference } from '../../lib/telemetry/energy';
import { EnergyHistory } from '../../lib/telemetry/energy-history';

describe('energy of one inference', () => {
  test.each([
    ['2 s of a counter of 1 ms', 2000, 1, { joules: 0.2, netJoules: null, uncertaintyJoules: 0.0002 }],
    ['200 updates of a chip of 50 ms', 10000, 50, { joules: 0.2, netJoules: null, uncertaintyJoules: 0.002 }],
    ['less than 2 s', 1999, 1, /^1.999 s are too short: a source with a value every 1 ms needs 2 s$/],
    ['199 updates', 9950, 50, /^9.95 s are too short: a source with a value every 50 ms needs 10 s$/],
    ['a source of 1 s in a second', 1000, 1000, /^1 s are too short: a source with a value every 1000 ms needs 200 s$/],
  ])('%s', (_, windowMs, intervalMs, expected) => {
    const found = energyPerInference({ joules: 20, inferences: 100, windowMs, intervalMs });
    if (expected instanceof RegExp) expect(found).toEqual({ joules: null, reason: expect.stringMatching(expected) });
    else expect(found).toEqual(expected);
  });

  test('net of what the idle source takes', () => {
    const window = { joules: 20, inferences: 100, windowMs: 4000, intervalMs: 1 };
    expect(energyPerInference({ ...window, idleWatts: 3 })).toMatchObject({ joules: 0.2, netJoules: 0.08 });
  });

  test('without an inference there is none, however long the window', () => {
    const window = { joules: 20, inferences: 0, windowMs: 60000, intervalMs: 1 };
    expect(energyPerInference(window)).toEqual({ joules: null, reason: 'no inference in the window' });
  });
});

describe('history', () => {
  let seconds: number;
  let history: EnergyHistory;
  beforeEach(() => {
    seconds = 1000;
    history = new EnergyHistory();
  });

  /** Marks the state a second later. */
  function mark(joules: number | null, counts: Record<string, number>, total: Partial<EnergyTotal> = {}): void {
    seconds += 1;
    const inferences = new Map(Object.entries(counts));
    history.mark({ monotonicNs: seconds * 1e9, joules, intervalMs: 1, inferences, ...total });
  }

  test('takes the shortest span that is long enough', () => {
    expect(history.of('a')).toEqual({ joules: null, reason: 'nothing was measured yet' });
    mark(0, { a: 0 });
    mark(10, { a: 10 });
    expect(history.of('a')).toEqual({ joules: null, reason: expect.stringMatching(/^1 s are too short/) });
    mark(30, { a: 20 });
    expect(history.of('a')).toMatchObject({ joules: 1.5, windowMs: 2000, inferences: 20 });
    mark(70, { a: 30 });
    expect(history.of('a')).toMatchObject({ joules: 3, windowMs: 2000, inferences: 20 });
  });

  test('waits for 200 values of a slow source, and takes the slowest interval of the span', () => {
    for (let at = 0; at < 10; at++) mark(at * 5, { a: at * 10 }, { intervalMs: at === 4 ? 60 : 50 });
    expect(history.of('a')).toMatchObject({ reason: expect.stringMatching(/every 60 ms needs 12 s/) });
    for (let at = 10; at < 13; at++) mark(at * 5, { a: at * 10 }, { intervalMs: 50 });
    expect(history.of('a')).toMatchObject({ joules: 0.5, windowMs: 12000, inferences: 120 });
    // The slow mark has left the shortest span.
    for (let at = 13; at < 16; at++) mark(at * 5, { a: at * 10 }, { intervalMs: 50 });
    expect(history.of('a')).toMatchObject({ joules: 0.5, windowMs: 10000, inferences: 100 });
  });

  test('knows idle power from spans without inferences, and tells the net', () => {
    for (let at = 0; at < 3; at++) mark(at * 4, { a: 7 });
    expect(history.idleWatts).toBe(4);
    expect(history.of('a')).toEqual({ joules: null, reason: 'no inference in the window' });
    mark(18, { a: 17 });
    mark(28, { a: 27 });
    expect(history.of('a')).toMatchObject({ joules: 1, netJoules: 0.6, windowMs: 2000 });
  });

  test('cannot tell models apart that ran in one window', () => {
    for (let at = 0; at < 3; at++) mark(at * 10, { a: at, b: at * 2, c: 5 });
    expect(history.of('a')).toEqual({ joules: null, reason: expect.stringMatching(/^b ran in the same window/) });
    expect(history.of('c')).toEqual({ joules: null, reason: 'no inference in the window' });
    for (let at = 3; at < 6; at++) mark(at * 10, { a: at, b: 4, c: 5 });
    expect(history.of('a')).toMatchObject({ joules: 10, inferences: 2 });
  });

  test('a model that was loaded meanwhile counts from 0; one that was unloaded is no longer there', () => {
    mark(0, { a: 5 });
    mark(10, { b: 0 });
    mark(20, { b: 2 });
    mark(30, { b: 4 });
    expect(history.of('b')).toMatchObject({ joules: 5, inferences: 4 });
  });

  test.each([
    ['a value that is not known', () => mark(null, { a: 30 }, { reason: 'it stopped' }), 'it stopped'],
    ['a model that was loaded anew', () => mark(23, { a: 3 }), /^0 s are too short|no inference in the window/],
    ['a total that fell', () => mark(3, { a: 30 }), /^0 s are too short|no inference in the window/],
  ])('%s begins a new past', (_, event, reason) => {
    for (let at = 0; at < 3; at++) mark(at * 10, { a: at * 10 });
    event();
    expect(history.of('a')).toMatchObject({
      joules: null,
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    });
    mark(30, { a: 40 });
    mark(40, { a: 50 });
    mark(50, { a: 60 });
    expect(history.of('a')).toMatchObject({ joules: 1, windowMs: 2000, inferences: 20 });
  });

  test('of a source that would need more than a minute says so and keeps no more than that', () => {
    for (let at = 0; at < 100; at++) mark(at, { a: at }, { intervalMs: 500 });
    expect(history.of('a')).toMatchObject({
      reason: '60 s are too short: a source with a value every 500 ms needs 100 s',
    });
  });
});
