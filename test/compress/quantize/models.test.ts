import { feedsOf } from '../../../lib/compress/feeds';
import { quantize } from '../../../lib/compress/quantize/quantize';
import { openDataset } from '../../../lib/data/open-dataset';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Graph } from '../../../lib/ir/graph';
import { viewAs } from '../../../lib/ir/tensor';
import { readModelFile } from '../../../lib/onnx/read-model';
import { createReferenceEvaluate } from '../../../lib/reference/evaluate';
import { openReference } from '../../../lib/reference/session';
import { dataPath, describeWithData } from '../../data';
import { FLOAT_LAYERS, optimizedOps } from './optimized';

/** Model, calibration set, test set, and how many test samples are run at most (mnist-8 runs one at a time). */
const ROWS = [
  ['mnist-8', 'mnist_raw_calib256', 'mnist_raw_test5000', 1500],
  ['resnet8_cifar10_mlperftiny', 'cifar_raw_calib256', 'cifar_raw_test500', 500],
  ['resnet20_cifar10', 'cifar_norm_calib256', 'cifar_norm_test500', 500],
  ['dscnn_kws_mlperftiny', 'kws_calib100', 'kws_test400', 400],
] as const;

/** Class of every sample. */
async function classify(graph: Graph, dataset: Dataset): Promise<number[]> {
  await using session = await openReference(graph);
  const classes: number[] = [];
  for await (const { inputs, count } of feedsOf(graph, dataset)) {
    const scores = viewAs((await session.run(inputs)).get(graph.outputs[0])!, 'float32');
    const width = scores.length / count;
    for (let i = 0; i < count; i++) {
      const row = scores.subarray(i * width, (i + 1) * width);
      classes.push(row.indexOf(Math.max(...row)));
    }
  }
  return classes;
}

async function labelsOf(dataset: Dataset): Promise<number[]> {
  const labels: number[] = [];
  for await (const batch of dataset.batches({ size: 500 })) labels.push(...batch.labels!);
  return labels;
}

describeWithData('default options', () => {
  test.each(ROWS)('%s stays accurate and runs on integers alone', async (model, calibration, testSet, count) => {
    const graph = await readModelFile(dataPath('models', `${model}.onnx`));
    await using reference = createReferenceEvaluate();
    const dataset = await openDataset(dataPath('npz', `${calibration}.npz`));
    const { graph: quantized, report } = await quantize(graph, { dataset, evaluate: reference.evaluate });
    expect(report.skipped.filter(({ op }) => op !== 'Softmax')).toEqual([]);

    const ops = await optimizedOps(quantized);
    expect(ops.filter((op) => FLOAT_LAYERS.includes(op))).toEqual([]);
    expect(ops.filter((op) => op === 'QLinearConv' || op === 'QGemm')).toHaveLength(report.layers.length);

    const all = await openDataset(dataPath('npz', `${testSet}.npz`));
    const test = all.select(Array.from({ length: Math.min(count, all.count) }, (_, index) => index));
    const [labels, float, int8] = [await labelsOf(test), await classify(graph, test), await classify(quantized, test)];
    const agreement = int8.filter((label, i) => label === float[i]).length / test.count;
    expect(agreement).toBeGreaterThanOrEqual(0.97);
    // Paired: +1 where only the float network is right, -1 where only the integer one is.
    const lost = labels.map((label, i) => Number(float[i] === label) - Number(int8[i] === label));
    const drop = lost.reduce((sum, one) => sum + one, 0) / test.count;
    const variance = lost.reduce((sum, one) => sum + (one - drop) ** 2, 0) / (test.count - 1);
    expect(drop).toBeLessThanOrEqual(0.01 + Math.sqrt(variance / test.count));
  });
});

describeWithData('AdaRound', () => {
  test('brings the first layers of resnet8 much nearer to the float network', async () => {
    const graph = await readModelFile(dataPath('models', 'resnet8_cifar10_mlperftiny.onnx'));
    await using reference = createReferenceEvaluate();
    const dataset = await openDataset(dataPath('npz', 'cifar_raw_calib256.npz'));
    const sqnrDb = async (rounding: 'nearest' | 'adaround') => {
      const names = ['n0', 'n1', 'n2'];
      const layers = Object.fromEntries(names.map((name) => [name, { weightBits: 4, rounding }]));
      const options = { layers, samples: 64 };
      const { report } = await quantize(graph, { dataset, evaluate: reference.evaluate, options });
      return report.layers.filter(({ name }) => names.includes(name)).map((layer) => layer.sqnrDb);
    };
    const [nearest, adapted] = [await sqnrDb('nearest'), await sqnrDb('adaround')];
    adapted.forEach((db, i) => {
      expect(db).toBeGreaterThan(nearest[i] + 6);
    });
  });
});
