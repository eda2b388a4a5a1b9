import { channelCount, parsePreprocess } from '../../lib/core/preprocess';
import { expectedInputs } from '../../lib/data/fit-input';
import { openDataset } from '../../lib/data/open-dataset';
import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, toNumbers } from '../../lib/ir/tensor';
import { readModelFile } from '../../lib/onnx/read-model';
import { openReference } from '../../lib/reference/session';
import { dataPath, describeWithData } from '../data';

/** Number of samples whose largest output is the label. */
async function countCorrect(graph: Graph, dataset: Dataset, size: number): Promise<number> {
  await using session = await openReference(graph);
  let correct = 0;
  for await (const batch of dataset.batches({ size })) {
    const scores = toNumbers((await session.run(batch.inputs)).get(graph.outputs[0])!);
    const classes = scores.length / batch.count;
    for (let k = 0; k < batch.count; k++) {
      const row = scores.slice(k * classes, (k + 1) * classes);
      if (row.indexOf(Math.max(...row)) === batch.labels![k]) correct++;
    }
  }
  return correct;
}

describeWithData('labelled sets reach the accuracy measured independently', () => {
  test.each([
    ['mnist-8', 'mnist_raw_test5000', 1, 5000, 0.983],
    ['resnet8_cifar10_mlperftiny', 'cifar_raw_test500', 100, 500, 0.89],
    ['resnet20_cifar10', 'cifar_norm_test500', 100, 500, 0.91],
  ])('%s', async (model, set, size, count, accuracy) => {
    const graph = await readModelFile(dataPath('models', `${model}.onnx`));
    const dataset = await openDataset(dataPath('npz', `${set}.npz`), { inputs: expectedInputs(graph) });
    expect(dataset.count).toBe(count);
    expect((await countCorrect(graph, dataset, size)) / count).toBeCloseTo(accuracy, 5);
  });

  test('idx and npz hold the same images', async () => {
    const { inputs } = { inputs: expectedInputs(await readModelFile(dataPath('models', 'mnist-8.onnx'))) };
    const idx = await openDataset(dataPath('data/mnist/t10k-first5000-images-idx3-ubyte.gz'), { inputs });
    const npz = await openDataset(dataPath('npz/mnist_raw_test5000.npz'), { inputs });
    const first = async (dataset: Dataset) => {
      for await (const batch of dataset.select([0, 17, 4999]).batches({ size: 3 })) return batch;
      return undefined;
    };
    expect(await first(idx)).toEqual(await first(npz));
  });

  test('the face detector finds faces in both JPEG pictures', async () => {
    const graph = await readModelFile(dataPath('models', 'ultraface_rfb_320.onnx'));
    const preprocess = parsePreprocess({ size: [240, 320], mean: 127, std: 128 });
    const dataset = await openDataset(dataPath('data/faces'), { inputs: expectedInputs(graph), preprocess });
    expect([dataset.count, channelCount(preprocess)]).toEqual([2, 3]);
    await using session = await openReference(graph);
    const faces: number[] = [];
    for await (const batch of dataset.batches({ size: 1 })) {
      const results: ReadonlyMap<string, Tensor> = await session.run(batch.inputs);
      const scores = toNumbers(results.get('scores')!).filter((_, index) => index % 2 === 1);
      faces.push(scores.filter((score) => score > 0.7).length);
    }
    expect(faces.every((found) => found > 0)).toBe(true);
  });
});
