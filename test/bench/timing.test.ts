import { ratioSpread, repeatFor, type Subject, spreadOf, timeInterleaved } from '../../bench/timing';

/** Subjects that note their turns; every second one answers with a promise. */
function recorders(count: number, turns: number[]): Subject[] {
  return Array.from({ length: count }, (_, index) => ({
    name: String(index),
    run: () => {
      turns.push(index);
      return index % 2 === 1 ? Promise.resolve() : undefined;
    },
  }));
}

describe('interleaved timing', () => {
  test.each([1, 2, 3])('%i subjects take turns, and who begins moves on', async (count) => {
    const turns: number[] = [];
    const series = await timeInterleaved(recorders(count, turns), { rounds: 6, warmUp: 0, repeat: 1 });
    expect(series.map(({ length }) => length)).toEqual(new Array(count).fill(6));
    for (let round = 0; round < 6; round++) {
      const order = turns.slice(round * count, (round + 1) * count);
      expect(order[0]).toBe(round % count);
      expect([...order].sort()).toEqual(Array.from({ length: count }, (_, index) => index));
    }
  });

  test('repeats within a sample, and warms up without recording', async () => {
    const turns: number[] = [];
    const [us] = await timeInterleaved(recorders(1, turns), { rounds: 4, warmUp: 3, repeat: 5 });
    expect(turns).toHaveLength((4 + 3) * 5);
    expect([...us].every((value) => value >= 0)).toBe(true);
  });

  test('awaits a promise within the measurement', async () => {
    const slow = { name: 'slow', run: () => new Promise((resolve) => setTimeout(resolve, 5)) };
    const [us] = await timeInterleaved([slow], { rounds: 3, warmUp: 0, repeat: 1 });
    expect(Math.min(...us)).toBeGreaterThan(4000);
  });

  test.each([
    [50, 1],
    [1000, 1],
    [49, 3],
    [10, 10],
    [0, 1000],
  ])('an inference of %d µs is timed %i at a time', (us, repeat) => {
    expect(repeatFor(us)).toBe(repeat);
  });
});

describe('spreads', () => {
  test('quartiles are interpolated', () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ least: 1, q1: 1.75, median: 2.5, q3: 3.25 });
  });

  test('ratios are formed pair by pair, not of medians', () => {
    // A machine that is slow for both in one round must not count.
    expect(ratioSpread([1, 100, 3], [2, 200, 4]).median).toBe(0.5);
    expect(ratioSpread([1, 100, 3], [2, 200, 4]).q3).toBeCloseTo(0.625);
  });
});
