import { InferenceStatistics } from '../../../lib/agent/front/statistics';

function recordMany(statistics: InferenceStatistics, from: number, to: number): void {
  for (let number = from; number <= to; number++)
    statistics.record({ queueNs: number, inputNs: 0, computeNs: 1000 * number, outputNs: 0 }, 0);
}

test('a window tells its last inferences one by one, never those of another window', () => {
  const statistics = new InferenceStatistics();
  recordMany(statistics, 1, 3);
  statistics.closeWindow(1000);
  expect(statistics.window.recent).toEqual([1, 2, 3].map((n) => ({ number: n, queueUs: n / 1000, computeUs: n })));
  statistics.closeWindow(1000);
  expect(statistics.window.recent).toEqual([]);
  recordMany(statistics, 4, 203);
  statistics.closeWindow(1000);
  expect(statistics.window.recent.map(({ number, computeUs }) => [number, computeUs])).toEqual(
    Array.from({ length: 64 }, (_, i) => [140 + i, 140 + i]),
  );
  expect(statistics.window.compute).toMatchObject({ count: 200, maxUs: 203 });
});

test('runs are counted by how many requests shared them', () => {
  const statistics = new InferenceStatistics();
  expect(statistics.describe('m', '2')).toMatchObject({ name: 'm', version: '2', inference_count: 0, batch_stats: [] });
  recordMany(statistics, 1, 3);
  statistics.recordRun(2, 4000);
  statistics.recordRun(1, 1500);
  statistics.recordRun(2, 1000);
  expect(statistics.describe('m', '2')).toMatchObject({
    inference_count: 3,
    execution_count: 3,
    inference_stats: { success: { count: 3, ns: 6006 }, queue: { count: 3, ns: 6 } },
    batch_stats: [
      { batch_size: 2, compute_infer: { count: 2, ns: 5000 } },
      { batch_size: 1, compute_infer: { count: 1, ns: 1500 } },
    ],
  });
});

test('beside the window stands what was since the start; failures are of both', () => {
  const statistics = new InferenceStatistics();
  expect(statistics.since).toEqual({
    ...{ failures: 0, failuresByCode: {}, nonFinite: 0 },
    ...{ compute: null, queue: null, request: null },
  });
  statistics.record({ queueNs: 1000, inputNs: 200, computeNs: 5000, outputNs: 300 }, 0);
  statistics.recordFailure('E_DEADLINE', 1);
  statistics.recordNonFinite(3);
  statistics.closeWindow(990);
  statistics.recordFailure('E_DEADLINE', 1);
  statistics.recordFailure('E_QUEUE_FULL', 1);
  statistics.recordNonFinite(0);
  statistics.closeWindow(1480);
  const { windowMs, failures, compute, request } = statistics.window;
  expect({ windowMs, failures, compute, request }).toEqual({
    windowMs: 1480,
    failures: 2,
    compute: null,
    request: null,
  });
  expect(statistics.since).toMatchObject({
    ...{ failures: 3, failuresByCode: { E_DEADLINE: 2, E_QUEUE_FULL: 1 }, nonFinite: 3 },
    ...{ compute: { count: 1, maxUs: 5 }, queue: { count: 1, maxUs: 1 }, request: { count: 1, maxUs: 6.5 } },
  });
  const { queue, compute: inside, request: whole } = statistics.buckets;
  expect([queue, inside, whole].map(({ count, sumNs }) => [count, sumNs])).toEqual([
    [1, 1000],
    [1, 5000],
    [1, 6500],
  ]);
});
