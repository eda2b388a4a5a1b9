import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import { feedsOf } from '../feeds';
import type { Runner } from './calibrate';

/** Signal-to-quantization-noise ratio of a value in dB, `10 log10(sum x^2 / sum (x - q)^2)`; infinite without noise. */
export type SqnrDb = number;

/**
 * SQNR of values of `quantized` against `graph` over all samples, both running from the same inputs, so that the noise of
 * everything before a value counts too.
 * @throws E_CALIBRATION naming a value of `graph` that is NaN or infinite
 * @param pairs name in `graph` -> name in `quantized`
 */
export async function measureSqnr(
  graph: Graph,
  quantized: Graph,
  pairs: ReadonlyMap<string, string>,
  dataset: Dataset,
  runner: Runner,
): Promise<Map<string, SqnrDb>> {
  const names = [...pairs.keys()];
  const fetches = [...new Set(pairs.values())];
  const power = new Map(names.map((name) => [name, { signal: 0, noise: 0 }]));
  let samples = 0;
  for await (const { inputs, count } of feedsOf(graph, dataset, runner.signal)) {
    const expected = await runner.evaluate(graph, inputs, names);
    const found = await runner.evaluate(quantized, inputs, fetches);
    for (const [name, other] of pairs) {
      const [x, q] = [viewAs(expected.get(name)!, 'float32'), viewAs(found.get(other)!, 'float32')];
      const sums = power.get(name)!;
      for (let i = 0; i < x.length; i++) {
        sums.signal += x[i] * x[i];
        sums.noise += (x[i] - q[i]) ** 2;
      }
    }
    for (const [name, { signal }] of power)
      if (!Number.isFinite(signal))
        throw new HoneError('E_CALIBRATION', {
          value: `'${name}'`,
          reason: `it is NaN or infinite in the held-out samples ${samples} to ${samples + count - 1}`,
        });
    samples += count;
    runner.onBatch?.(samples, dataset.count);
  }
  return new Map([...power].map(([name, sums]) => [name, decibels(sums.signal, sums.noise)]));
}

/** SQNR of sums of squares. */
export function decibels(signal: number, noise: number): SqnrDb {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}
