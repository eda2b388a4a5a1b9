import { energyPerInference } from '../../lib/telemetry/energy';
import { EnergyHistory } from '../../lib/telemetry/energy-history';

describe('energy of one inference', () => {
  test.each([
    ['2 s of a counter of 1 ms', 2000, 1, { joules: 0.2, netJoules: null, uncertaintyJoules: 0.0002 }],
    ['200 values of a chip of 50 ms', 10000, 50, { joules: 0.2, netJoules: null, uncertaintyJoules: 0.002 }],
    ['less than 2 s', 1999, 1, /^1.999 s with 1999 values of the source are too short: 2 s and 200 values are needed$/],
    ['199 values', 9950, 50, /^9.95 s with 199 values of the source are too short/],
    ['a source of 1 s in a second', 1000, 1000, /^1 s with 1 values/],
  ])('%s', (_, windowMs, longestMs, expected) => {
    const values = windowMs / longestMs;
    const found = energyPerInference({ joules: 20, inferences: 100, windowMs, values, longestMs });
    if (expected instanceof RegExp) expect(found).toEqual({ joules: null, reason: expect.stringMatching(expected) });
    else expect(found).toEqual(expected);
  });

  test('net of what the idle source takes', () => {
    const window = { joules: 20, inferences: 100, windowMs: 4000, values: 4000, longestMs: 1 };
    expect(energyPerInference({ ...window, idleWatts: 3 })).toMatchObject({ joules: 0.2, netJoules: 0.08 });
  });

  test('without an inference there is none, however long the window', () => {
    const window = { joules: 20, inferences: 0, windowMs: 60000, values: 60000, longestMs: 1 };
    expect(energyPerInference(window)).toEqual({ joules: null, reason: 'no inference in the window' });
  });
});

describe('history', () => {
  let seconds: number;
  let values: number;
  let history: EnergyHistory;
  beforeEach(() => {
    seconds = 1000;
    values = 0;
    history = new EnergyHistory();
  });

  /** Marks the state some time later, a second if not said; the source has a value every `everyMs`. */
  function mark(
    joules: number | null,
    counts: Record<string, number>,
    { wait = 1, everyMs = 1, reason = '' } = {},
  ): void {
    seconds += wait;
    values += (wait * 1000) / everyMs;
    const inferences = new Map(Object.entries(counts));
    const head = { monotonicNs: Math.round(seconds * 1e9), values, longestMs: everyMs, inferences };
    history.mark(joules === null ? { ...head, joules, reason } : { ...head, joules });
  }

  test('takes the shortest span that is long enough', () => {
    expect(history.of('a')).toEqual({ joules: null, reason: 'nothing was measured yet' });
    mark(0, { a: 0 });
    mark(10, { a: 10 });
    expect(history.of('a')).toEqual({
      joules: null,
      reason: expect.stringMatching(/^1 s with 1000 values of the source are too short/),
    });
    mark(30, { a: 20 });
    expect(history.of('a')).toMatchObject({ joules: 1.5, windowMs: 2000, inferences: 20 });
    mark(70, { a: 30 });
    expect(history.of('a')).toMatchObject({ joules: 3, windowMs: 2000, inferences: 20 });
  });

  test('waits for 200 values of a slow source; one that came late costs certainty, not the figure', () => {
    for (let at = 0; at < 10; at++) mark(at * 5, { a: at * 10 }, { everyMs: at === 4 ? 500 : 50 });
    expect(history.of('a')).toMatchObject({ reason: expect.stringMatching(/^9 s with 162 values/) });
    for (let at = 10; at < 12; at++) mark(at * 5, { a: at * 10 }, { everyMs: 50 });
    expect(history.of('a')).toMatchObject({ joules: 0.5, windowMs: 11000, inferences: 110 });
    expect(history.of('a')).toMatchObject({ uncertaintyJoules: (0.5 * 2 * 500) / 11000 });
    for (let at = 12; at < 15; at++) mark(at * 5, { a: at * 10 }, { everyMs: 50 });
    expect(history.of('a')).toMatchObject({ windowMs: 10000, uncertaintyJoules: (0.5 * 2 * 50) / 10000 });
  });

  test('takes marks as often as they come', () => {
    for (let at = 0; at < 5000; at++) mark(at * 0.001, { a: at }, { wait: 0.001, everyMs: at === 3000 ? 7 : 1 });
    const energy = history.of('a');
    expect(energy).toMatchObject({ joules: expect.closeTo(0.001, 9) });
    if (energy.joules === null) throw new Error(energy.reason);
    expect(energy.windowMs).toBeGreaterThanOrEqual(2000);
    expect(energy.windowMs).toBeLessThan(2200);
    expect(energy.uncertaintyJoules).toBeCloseTo((0.001 * 2 * 7) / energy.windowMs, 12);
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
    ['a model that was loaded anew', () => mark(23, { a: 3 }), 'no inference in the window'],
    ['a total that fell', () => mark(3, { a: 30 }), 'no inference in the window'],
  ])('%s begins a new past', (_, event, reason) => {
    for (let at = 0; at < 3; at++) mark(at * 10, { a: at * 10 });
    event();
    expect(history.of('a')).toMatchObject({
      joules: null,
      reason,
    });
    mark(30, { a: 40 });
    mark(40, { a: 50 });
    mark(50, { a: 60 });
    expect(history.of('a')).toMatchObject({ joules: 1, windowMs: 2000, inferences: 20 });
  });

  test('of a source that would need more than a minute says so and keeps no more than that', () => {
    for (let at = 0; at < 100; at++) mark(at, { a: at }, { everyMs: 500 });
    expect(history.of('a')).toMatchObject({ reason: expect.stringMatching(/^60 s with 120 values of the source/) });
  });
});
