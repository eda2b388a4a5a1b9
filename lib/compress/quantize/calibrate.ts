import type { Dataset } from '../../ir/dataset';
import type { Evaluate, Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import { feedsOf } from '../feeds';
import type { Observer } from './observer';

/** What a method wants to know of the values of a graph: observers per value name. Values must be float32. */
export type Requests = ReadonlyMap<string, readonly Observer[]>;

/** Tools that passes over a dataset share. */
export interface Runner {
  readonly evaluate: Evaluate;
  /** Told after every batch: samples done and in all. */
  readonly onBatch?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs every sample once and shows each batch of every requested value to its observers: one pass serves all methods.
 * Memory is that of one batch. Returns the number of samples seen.
 * @throws E_CALIBRATION naming the value that becomes NaN or infinite, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function collect(graph: Graph, dataset: Dataset, requests: Requests, runner: Runner): Promise<number> {
  const fetches = [...requests.keys()].filter((value) => !graph.inputs.includes(value));
  let samples = 0;
  for await (const { inputs, count } of feedsOf(graph, dataset, runner.signal)) {
    const outputs = fetches.length > 0 ? await runner.evaluate(graph, inputs, fetches) : inputs;
    for (const [value, observers] of requests) {
      const tensor = inputs.get(value) ?? outputs.get(value)!;
      const data = viewAs(tensor, 'float32');
      for (const observer of observers) observer.observe(data, tensor.dims, { first: samples, count });
    }
    samples += count;
    runner.onBatch?.(samples, dataset.count);
  }
  return samples;
}
