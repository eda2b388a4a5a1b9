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
