import { execFileSync } from 'node:child_process';
import type { Dataset } from '../../lib/ir/dataset';
import { viewAs } from '../../lib/ir/tensor';
import { largest, quantile, wilsonInterval } from '../../lib/telemetry/statistics';
import { type Contestant, type HeldBytes, openRunner, type Runner } from './contestants';

/** What one contestant reached. Times of single inferences called from JavaScript, one thread. */
export interface Score {
  readonly name: string;
  /** Share of test digits recognised, 0..1, with its 95 % interval. */
  readonly accuracy: number;
  readonly interval95: readonly [number, number];
  readonly p50Us: number;
  readonly p99Us: number;
  readonly held: HeldBytes;
  readonly rssAboveIdle: number;
}

/** Images and labels of a dataset in memory. */
export async function loadSamples(dataset: Dataset): Promise<{ images: Float32Array[]; labels: number[] }> {
  const images: Float32Array[] = [];
  const labels: number[] = [];
  for await (const { inputs, labels: classes } of dataset.batches({ size: 1 })) {
    images.push(Float32Array.from(viewAs(inputs.get('x')!, 'float32')));
    labels.push(classes![0]);
  }
  return { images, labels };
}

/**
 * Runs every contestant on every image, interleaved image by image with a rotating order, so that all meet the same state of
 * the machine; memory is measured in a fresh process each.
 */
export async function compare(
  contestants: readonly Contestant[],
  images: readonly Float32Array[],
  labels: readonly number[],
  onProgress: (done: number, total: number) => void,
): Promise<Score[]> {
  const runners: Runner[] = [];
  for (const contestant of contestants) runners.push(await openRunner(contestant));
  const times = runners.map(() => new Float64Array(images.length));
  const hits = runners.map(() => 0);
  for (const [index, image] of images.entries()) {
    for (let turn = 0; turn < runners.length; turn++) {
      const at = (turn + index) % runners.length;
      const runner = runners[at];
      runner.input.set(image);
      const start = process.hrtime.bigint();
      const pending = runner.run();
      if (pending) await pending;
      times[at][index] = Number(process.hrtime.bigint() - start) / 1000;
      if (largest(Array.from(runner.output)) === labels[index]) hits[at]++;
    }
    onProgress(index + 1, images.length);
  }
  for (const runner of runners) await runner.close();
  return contestants.map((contestant, at) => {
    // The first tenth warms up code and caches.
    const steady = times[at].subarray(Math.floor(images.length / 10));
    return {
      name: contestant.name,
      accuracy: hits[at] / images.length,
      interval95: wilsonInterval(hits[at], images.length),
      p50Us: quantile(steady, 0.5),
      p99Us: quantile(steady, 0.99),
      ...measureMemory(contestant),
    };
  });
}

function measureMemory(contestant: Contestant): { held: HeldBytes; rssAboveIdle: number } {
  const args = ['--expose-gc', require.resolve('./memory-worker'), JSON.stringify(contestant)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as ReturnType<typeof measureMemory>;
}
