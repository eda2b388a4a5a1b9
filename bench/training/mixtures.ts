import { HoneError } from '../../lib/core/error';
import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import type { Dataset } from '../../lib/ir/dataset';
import { elementCount, tensorOf, viewAs } from '../../lib/ir/tensor';

/**
 * The samples of a dataset with one float32 input, and `count` mixtures of two of them with uniform shares (Zhang et al. 2018,
 * "mixup"), without labels: a teacher says more of them than of samples that it knows by heart (Beyer et al. 2022).
 */
export async function withMixtures(dataset: Dataset, count: number, seed: number): Promise<Dataset> {
  const [[name, { dims }]] = dataset.inputs;
  const size = elementCount(dims);
  const plain = dataset.count;
  const data = new Float32Array((plain + count) * size);
  for await (const batch of dataset.batches({ size: plain })) data.set(viewAs(batch.inputs.get(name)!, 'float32'));
  if (plain < 2) throw new HoneError('E_DATA_MISMATCH', { expected: 'two samples to mix', found: plain });
  const rng = new Rng(seed);
  for (let sample = plain; sample < plain + count; sample++) {
    const [a, b] = [rng.integer(0, plain - 1) * size, rng.integer(0, plain - 1) * size];
    const share = rng.uniform();
    for (let i = 0; i < size; i++) data[sample * size + i] = share * data[a + i] + (1 - share) * data[b + i];
  }
  const mixed = tensorOf('float32', [plain + count, ...dims], data);
  return datasetFromTensors(`${dataset.name} and mixtures`, new Map([[name, mixed]]));
}
