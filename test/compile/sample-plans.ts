import { existsSync } from 'node:fs';
import { compile } from '../../lib/compile/compile';
import { quantize } from '../../lib/compress/quantize/quantize';
import type { PartialQuantizeOptions } from '../../lib/compress/quantize/quantize-options';
import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { expectedInputs } from '../../lib/data/fit-input';
import { openDataset } from '../../lib/data/open-dataset';
import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { tensorOf } from '../../lib/ir/tensor';
import { readModelFile } from '../../lib/onnx/read-model';
import { symbolsOf } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { dataPath } from '../data';
import { codedNetwork } from '../engine/coded-network';
import { denormalNetwork } from '../engine/plans';
import { rowsNetwork } from '../engine/rows-network';
import { buildSampleNetwork } from './sample-networks';

/** The four models that run wholly on the engine, with their calibration and test samples. */
export const BAR_MODELS = [
  { model: 'mnist-8', calibration: 'mnist_raw_calib256', test: 'mnist_raw_test5000' },
  { model: 'resnet8_cifar10_mlperftiny', calibration: 'cifar_raw_calib256', test: 'cifar_raw_test500' },
  { model: 'resnet20_cifar10', calibration: 'cifar_norm_calib256', test: 'cifar_norm_test500' },
  { model: 'dscnn_kws_mlperftiny', calibration: 'kws_calib100', test: 'kws_test400' },
] as const;

/** Plans that between them meet every kernel: made networks, and the real models when the test data is there. */
export async function samplePlans(): Promise<Map<string, Uint8Array>> {
  const plans = new Map<string, Uint8Array>();
  const network = buildSampleNetwork(7);
  const images = randomImages();
  plans.set('denormals', denormalNetwork().write());
  plans.set('rows', rowsNetwork().write());
  plans.set('codes', codedNetwork().write());
  plans.set('codes-large', codedNetwork({ large: true }).write());
  plans.set('sample-float', planOf(network));
  plans.set('sample-int8', planOf(await quantized(network, images)));
  plans.set('sample-mixed', planOf(await quantized(network, images, { skip: { types: ['Add', 'AveragePool'] } })));
  for (const { model, calibration } of BAR_MODELS) {
    const path = dataPath('models', `${model}.onnx`);
    if (!existsSync(path)) continue;
    const graph = await readModelFile(path);
    const dataset = await openDataset(dataPath('npz', `${calibration}.npz`), { inputs: expectedInputs(graph) });
    plans.set(`${model}-float`, planOf(graph));
    plans.set(`${model}-int8`, planOf(await quantized(graph, dataset)));
  }
  return plans;
}

/** Plan of a graph for single samples. */
export function planOf(graph: Graph): Uint8Array {
  const shapes = Object.fromEntries([...symbolsOf(graph)].map((symbol) => [symbol, 1]));
  return compile(prepare(graph, { shapes }).graph, { sourceHash: '0'.repeat(64) }).plan;
}

/** Post-training int8 form of a graph, calibrated with `dataset`. */
export async function quantized(graph: Graph, dataset: Dataset, options?: PartialQuantizeOptions): Promise<Graph> {
  const reference = createReferenceEvaluate();
  try {
    return (await quantize(graph, { dataset, evaluate: reference.evaluate, ...(options ? { options } : {}) })).graph;
  } finally {
    await reference.close();
  }
}

/** Seeded images that the sample network takes. */
export function randomImages(): Dataset {
  const rng = new Rng(5);
  const dims = [32, 3, 21, 19];
  const data = Float32Array.from({ length: 32 * 3 * 21 * 19 }, () => rng.normal());
  return datasetFromTensors('random images', new Map([['x', tensorOf('float32', dims, data)]]));
}
