import { AdmissionWindow } from '../../../lib/agent/front/admission-window';
import { CoreBudget } from '../../../lib/agent/front/core-budget';
import { ModelQueue, type Waiting } from '../../../lib/agent/front/model-queue';
import { Pace } from '../../../lib/agent/front/pace';

const entry = (name: string, priority = 2, deadlineNs = 100, rows = 1) => ({ name, priority, deadlineNs, rows });
const names = (entries: readonly (Waiting & { readonly name: string })[]) => entries.map(({ name }) => name).join(' ');

describe('queue', () => {
  test('goes by priority, then deadline, then arrival', () => {
    const queue = new ModelQueue<ReturnType<typeof entry>>(10);
    for (const added of [
      entry('late', 2, 300),
      entry('soon', 2, 100),
      entry('low', 3, 1),
      entry('soon2', 2, 100),
      entry('high', 1, 900),
    ])
      queue.add(added);
    expect(queue.head?.name).toBe('high');
    expect(queue.countBefore({ priority: 2, deadlineNs: 200 })).toBe(3);
    expect(queue.countBefore({ priority: 3, deadlineNs: 200 })).toBe(5);
    expect(names(queue.take(5))).toBe('high soon soon2 late low');
    expect(queue.size).toBe(0);
  });

  test('is bounded, and gives up what nobody waits for', () => {
    const queue = new ModelQueue<ReturnType<typeof entry>>(2);
    const [a, b] = [entry('a'), entry('b')];
    queue.add(a);
    expect(queue.isFull).toBe(false);
    queue.add(b);
    expect(queue.isFull).toBe(true);
    expect([queue.remove(a), queue.remove(a)]).toEqual([true, false]);
    expect(names(queue.clear())).toBe('b');
  });

  test.each([
    [4, [1, 1, 1], 3],
    [4, [2, 1, 2], 2],
    [1, [1, 1], 1],
    // A request that fills more than the batch has is refused before; what is first runs in any case.
    [2, [3, 1], 1],
  ])('a batch of %d rows takes of %j the first %d', (rows, sizes, count) => {
    const queue = new ModelQueue<ReturnType<typeof entry>>(10);
    for (const [index, size] of sizes.entries()) queue.add(entry(`e${index}`, 2, 100, size));
    expect(queue.take(rows)).toHaveLength(count);
    expect(queue.size).toBe(sizes.length - count);
  });
});

test('cores are granted as far as they are free', () => {
  const cores = new CoreBudget(4);
  expect([cores.take(3), cores.free, cores.take(3), cores.take(1)]).toEqual([3, 1, 1, 0]);
  cores.release(3);
  expect(cores.take(8)).toBe(3);
});

describe('window of admission', () => {
  test.each([
    ['of a run of 85 ms and 10 s', 85e6, 10_000, 64, 11],
    ['of a short run: all', 0.2e6, 10_000, 64, 64],
    ['of a run that is longer than the time there is', 60e9, 10_000, 64, 4],
    ['of a run that is not known', 0, 10_000, 64, 4],
  ])('begins by the first run: %s', (_, firstRunNs, timeoutMs, limit, expected) => {
    const window = new AdmissionWindow(limit);
    window.begin(firstRunNs, timeoutMs);
    expect(window.size).toBe(expected);
  });

  test('grows with answers up to the limit, halves with a late one, and never closes', () => {
    const window = new AdmissionWindow(10);
    window.answered(3);
    expect(window.size).toBe(7);
    window.answered(5);
    expect(window.size).toBe(10);
    for (const expected of [5, 4, 4]) {
      window.late();
      expect(window.size).toBe(expected);
    }
  });
});

describe('pace', () => {
  test('knows nothing before the first request has ended', () => {
    expect(new Pace().estimate(5)).toBe(0);
  });

  test('counts a request from the end of the one before, not from when it came', () => {
    const pace = new Pace();
    for (let i = 1; i <= 200; i++) pace.record(0, i * 1000, 1);
    expect(pace.estimate(1)).toBeCloseTo(1000, 0);
    expect(pace.estimate(10)).toBeCloseTo(10_000, 0);
  });

  test('begins with what the first run took, with a reserve, and forgets it for what it sees', () => {
    const pace = new Pace();
    pace.seed(1000);
    expect(pace.estimate(1)).toBe(2000);
    pace.record(0, 500, 1);
    expect(pace.estimate(1)).toBe(1000);
    pace.seed(9e9);
    expect(pace.estimate(1)).toBe(1000);
  });

  test('keeps a reserve where times scatter', () => {
    const pace = new Pace();
    let end = 0;
    for (let i = 0; i < 400; i++) {
      end += i % 2 === 0 ? 500 : 1500;
      pace.record(0, end, 1);
    }
    expect(pace.estimate(1)).toBeGreaterThan(1500);
    expect(pace.estimate(100) / 100).toBeLessThan(1200);
  });
});
