import type { Dataset } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import { forEachGradient } from '../train/gradient-pass';
import { crossEntropy } from '../train/losses';
import { freeToTrain } from './free-to-train';
import type { MethodContext } from './method';

/** Samples per gradient. */
const GRADIENT_BATCH = 32;

/**
 * Calls `onBatch` with the gradients by the constants `wanted` of the mean cross-entropy of each batch of labelled samples, and the
 * batch's share of all samples. A graph that fixes its batch runs in a form with a free one where there is such a form.
 * @throws what `forEachGradient` and `freeToTrain` throw
 */
export async function measureGradients(
  graph: Graph,
  dataset: Dataset,
  wanted: readonly string[],
  { evaluate, signal, onProgress }: Pick<MethodContext, 'evaluate' | 'signal' | 'onProgress'>,
  onBatch: (gradients: ReadonlyMap<string, Tensor>, share: number) => void,
): Promise<void> {
  const batchSize = Math.min(GRADIENT_BATCH, dataset.count);
  const options = { loss: crossEntropy(), wanted, batchSize, ...(signal && { signal }) };
  const free = await freeToTrain(graph, dataset, evaluate);
  let done = 0;
  await forEachGradient(free, dataset, options, evaluate, (gradients, count) => {
    onBatch(gradients, count / dataset.count);
    done += count;
    onProgress?.('measure gradients', done, dataset.count);
  });
}
