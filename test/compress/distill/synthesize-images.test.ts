import { readFileSync } from 'node:fs';
import {
  type SynthesisOptions,
  synthesisOptions,
  synthesizeImages,
} from '../../../lib/compress/distill/synthesize-images';
import { quantize } from '../../../lib/compress/quantize/quantize';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { openDataset } from '../../../lib/data/open-dataset';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Evaluate, Graph } from '../../../lib/ir/graph';
import { tensorFrom, toNumbers, viewAs } from '../../../lib/ir/tensor';
import { readModel } from '../../../lib/onnx/read-model';
import { inferShapes } from '../../../lib/passes/infer-shapes';
import { prepare } from '../../../lib/passes/pipeline';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { dataPath, describeWithData } from '../../data';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());
const evaluate: Evaluate = (graph, feeds, fetches) => reference.evaluate(graph, feeds, fetches);

function optionsOf(given: Partial<SynthesisOptions>): SynthesisOptions {
  return synthesisOptions.parse(given);
}

/** Normalises its input `[N, 2, 3, 3]` by the mean 2 and -1 and the deviation 3 and 0.5 that it remembers. */
function buildNormal(): Graph {
  const builder = new GraphBuilder({ name: 'normal' });
  const x = builder.input('x', 'float32', ['N', 2, 3, 3]);
  const constant = (a: number, b: number) => builder.initializer(tensorFrom('float32', [2], [a, b]));
  const inputs = [x, constant(1, 1), constant(0, 0), constant(2, -1), constant(9, 0.25)];
  const normal = builder.node('BatchNormalization', inputs);
  builder.output(builder.node('Flatten', [builder.node('GlobalAveragePool', [normal])]));
  return inferShapes(builder.build()).graph;
}

test('the batch gets the statistics that the network remembers', async () => {
  const options = optionsOf({ count: 20, batchSize: 16, steps: 200 });
  const { inputs, loss } = await synthesizeImages(buildNormal(), options, { evaluate });
  const x = inputs.get('x')!;
  expect(x.dims).toEqual([20, 2, 3, 3]);
  expect(loss.before).toBeGreaterThan(0.5);
  expect(loss.after).toBeLessThan(1e-3);
  const values = toNumbers(x).slice(0, 16 * 18);
  for (const [channel, mean, deviation] of [
    [0, 2, 3],
    [1, -1, 0.5],
  ]) {
    const own = values.filter((_, index) => Math.floor(index / 9) % 2 === channel);
    const average = own.reduce((sum, value) => sum + value, 0) / own.length;
    expect(average).toBeCloseTo(mean, 1);
    expect(Math.sqrt(own.reduce((sum, value) => sum + (value - average) ** 2, 0) / own.length)).toBeCloseTo(
      deviation,
      1,
    );
  }
  const again = await synthesizeImages(buildNormal(), options, { evaluate });
  expect(again.inputs.get('x')).toEqual(x);
});

test('classes and smoothness are terms of the loss', async () => {
  const options = optionsOf({ count: 8, batchSize: 8, steps: 100, classWeight: 0.5, smoothness: 0.1 });
  const { inputs } = await synthesizeImages(buildNormal(), options, { evaluate });
  const [output] = buildNormal().outputs;
  const scores = viewAs((await evaluate(buildNormal(), inputs, [output])).get(output)!, 'float32');
  const classes = Array.from({ length: 8 }, (_, n) => Number(scores[n * 2 + 1] > scores[n * 2]));
  expect(classes).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
});

test('refuses networks without statistics, and inputs that are no float32 batch', async () => {
  const builder = new GraphBuilder();
  builder.output(builder.node('Relu', [builder.input('x', 'float32', ['N', 2])]));
  const options = optionsOf({});
  await expect(synthesizeImages(inferShapes(builder.build()).graph, options, { evaluate })).rejects.toThrow(
    /folded away/,
  );
  const net = buildNormal();
  const fixed = { ...net, values: new Map([...net.values, ['x', { type: 'float32', shape: [1, 2, 3, 3] }] as const]) };
  await expect(synthesizeImages(fixed, options, { evaluate })).rejects.toThrow(/expected a float32 input/);
});

describeWithData('made images of resnet20', () => {
  const model = () => readModel(readFileSync(dataPath('models', 'resnet20_cifar10.onnx')));

  async function accuracy(graph: Graph, dataset: Dataset): Promise<number> {
    let right = 0;
    for await (const { inputs, labels, count } of dataset.batches({ size: 100 })) {
      const [output] = graph.outputs;
      const scores = viewAs((await evaluate(graph, inputs, [output])).get(output)!, 'float32');
      for (let n = 0; n < count; n++) {
        const row = scores.subarray(n * 10, n * 10 + 10);
        if (row.indexOf(Math.max(...row)) === labels![n]) right++;
      }
    }
    return right / dataset.count;
  }

  test('have its statistics, and serve as calibration samples', async () => {
    const options = optionsOf({ count: 8, batchSize: 8, steps: 25 });
    const { inputs, loss } = await synthesizeImages(prepare(model(), { batchNorm: 'keep' }).graph, options, {
      evaluate,
    });
    expect(loss.after).toBeLessThan(loss.before / 5);
    const real = await openDataset(dataPath('npz', 'cifar_norm_calib256.npz'));
    const first = (dataset: Dataset, count: number) =>
      dataset.select(Array.from({ length: count }, (_, index) => index));
    const judged = first(await openDataset(dataPath('npz', 'cifar_norm_test500.npz')), 100);
    const quantized = async (dataset: Dataset) => (await quantize(model(), { dataset, evaluate })).graph;
    const onReal = await accuracy(await quantized(first(real, 16)), judged);
    const onMade = await accuracy(await quantized(datasetFromTensors('made', inputs)), judged);
    expect(onMade).toBeGreaterThan(onReal - 0.05);
  }, 60_000);
});
