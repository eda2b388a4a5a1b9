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

test('node times of a window are those of its own runs, and tell how old it is', () => {
  const times = new NodeTimes();
  const told = () => times.summaries.flatMap(({ meanUs, share }) => [meanUs, share]);
  expect([told(), times.ageMs(5e6)]).toEqual([[], null]);
  const [first, second] = [{}, {}];
  // Worker, runs and means (ns) since its start, then mean (us) and share of both nodes in the window, and windows since then.
  const windows: [worker: object, runs: number, means: number[], expected: number[], age: number][] = [
    [first, 2, [3000, 1000], [3, 0.75, 1, 0.25], 0],
    [first, 3, [4000, 2000], [6, 0.6, 4, 0.4], 0],
    // Without a run the last window that had one stays.
    [first, 3, [4000, 2000], [6, 0.6, 4, 0.4], 1],
    [first, 3, [4000, 2000], [6, 0.6, 4, 0.4], 2],
    // A mean rounded below what is known already is no negative time.
    [first, 4, [2900, 2000], [0, 0, 2, 1], 0],
    // Another worker counts from its own start.
    [second, 2, [1000, 1000], [1, 0.5, 1, 0.5], 0],
  ];
  for (const [index, [worker, runs, means, expected, age]] of windows.entries()) {
    const endNs = (index + 1) * 1e9;
    times.update(profile(runs, means), worker, endNs);
    expect([told(), times.ageMs(endNs)]).toEqual([expected, age * 1000]);
  }
});

test('beside the window stands what nodes took since the worker began', () => {
  const times = new NodeTimes();
  const worker = {};
  times.update(profile(10, [1000]), worker, 0);
  const { nodes, runs } = profile(12, [2000]);
  times.update({ runs, nodes: nodes.map((node) => ({ ...node, p90Ns: 3000, p99Ns: 9000 })) }, worker, 1e9);
  expect(times.summaries).toEqual([
    {
      ...{ name: 'n0', op: 'o', kernel: 'k', meanUs: 7, share: 1 },
      since: { count: 12, meanUs: 2, p50Us: 2, p90Us: 3, p99Us: 9 },
    },
  ]);
});

test('a node that no run of a window came by took nothing in it', () => {
  const times = new NodeTimes();
  const worker = {};
  times.update(profile(2, [1000, 1000]), worker, 0);
  const { runs, nodes } = profile(4, [1000, 1000]);
  times.update({ runs, nodes: [nodes[0], { ...nodes[1], runs: 2 }] }, worker, 1e9);
  expect(times.summaries.map(({ meanUs, share }) => [meanUs, share])).toEqual([
    [1, 1],
    [0, 0],
  ]);
});

const [node] = profile(9, [1000]).nodes;
test.each([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'fast'],
  ['no nodes', { runs: 9 }],
  ['runs that are no number', { runs: '9', nodes: [node] }],
  ['runs below none', { runs: -1, nodes: [node] }],
  ['a node that is null', { runs: 9, nodes: [null] }],
  ['a name that is no text', { runs: 9, nodes: [{ ...node, name: { toString: 1 } }] }],
  ['a time that is no number', { runs: 9, nodes: [{ ...node, p50Ns: null }] }],
  ['a time without end', { runs: 9, nodes: [{ ...node, meanNs: Number.POSITIVE_INFINITY }] }],
])('what a worker tells that is no profile is left alone: %s', (_, told) => {
  const times = new NodeTimes();
  const worker = {};
  times.update(profile(2, [1000]), worker, 0);
  const before = times.summaries;
  times.update(told, worker, 1e9);
  expect([times.summaries, times.ageMs(1e9)]).toEqual([before, 1000]);
});

test('names are cut where they are longer than any page', () => {
  const times = new NodeTimes();
  times.update({ runs: 9, nodes: [{ ...node, kernel: 'k'.repeat(1e5) }] }, {}, 0);
  expect(times.summaries[0].kernel).toHaveLength(200);
});
