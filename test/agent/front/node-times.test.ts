import { NodeTimes } from '../../../lib/agent/front/node-times';
import type { SessionProfile } from '../../../lib/engine/addon';

/** What a session says of its nodes, all since its start. */
function profile(runs: number, meansNs: readonly number[]): SessionProfile {
  const nodes = meansNs.map((meanNs, index) => ({
    ...{ name: `n${index}`, op: 'o', kernel: 'k', threads: 1 },
    ...{ runs, leastNs: 1, meanNs, p50Ns: meanNs, p90Ns: meanNs, p99Ns: meanNs },
  }));
  return { runs, nodes };
}

test('node times of a window are those of its own runs', () => {
  const times = new NodeTimes();
  const told = () => times.summaries.flatMap(({ meanUs, share }) => [meanUs, share]);
  expect(told()).toEqual([]);
  const [first, second] = [{}, {}];
  // Worker, runs and means (ns) since its start, then mean (us) and share of both nodes in the window.
  const windows: [worker: object, runs: number, means: number[], expected: number[]][] = [
    [first, 2, [3000, 1000], [3, 0.75, 1, 0.25]],
    [first, 3, [4000, 2000], [6, 0.6, 4, 0.4]],
    // Without a run the last window that had one stays.
    [first, 3, [4000, 2000], [6, 0.6, 4, 0.4]],
    // A mean rounded below what is known already is no negative time.
    [first, 4, [2900, 2000], [0, 0, 2, 1]],
    // Another worker counts from its own start.
    [second, 2, [1000, 1000], [1, 0.5, 1, 0.5]],
  ];
  for (const [worker, runs, means, expected] of windows) {
    times.update(profile(runs, means), worker);
    expect(told()).toEqual(expected);
  }
});
