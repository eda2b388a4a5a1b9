import { compile, diagnose } from '../../../lib/compile/compile';
import { countMacs, oneSample } from '../../../lib/compress/count-macs';
import type { MethodContext } from '../../../lib/compress/method';
import { findBranches } from '../../../lib/compress/structured/branches';
import { pruneStructured } from '../../../lib/compress/structured/prune-structured';
import type { StructuredReport } from '../../../lib/compress/structured/structured-report';
import { parseOptions } from '../../../lib/core/parse-options';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import type { Graph } from '../../../lib/ir/graph';
import { type Tensor, viewAs } from '../../../lib/ir/tensor';
import { verify } from '../../../lib/ir/verify';
import { indexLimits, randomFeeds } from '../../../lib/jobs/random-feeds';
import { readModelFile } from '../../../lib/onnx/read-model';
import { symbolsOf } from '../../../lib/passes/infer-shapes';
import { prepare } from '../../../lib/passes/pipeline';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { HASH, runEngine } from '../../compile/run-case';
import { dataPath, describeWithData } from '../../data';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

async function read(model: string): Promise<Graph> {
  const graph = await readModelFile(dataPath('models', `${model}.onnx`));
  // One token of a transformer; the axis of samples stays free.
  const shapes: Readonly<Record<string, number>> = symbolsOf(graph).includes('T') ? { T: 1 } : {};
  return prepare(graph, { batchNorm: 'keep', shapes }).graph;
}

function feedsFor(graph: Graph): Map<string, Tensor> {
  const { inputs, values } = oneSample(graph);
  return randomFeeds(new Map(inputs.map((name) => [name, values.get(name)!])), 1, indexLimits(graph));
}

function prune(graph: Graph, options: object) {
  const dataset = datasetFromTensors('one sample', feedsFor(graph));
  const context: MethodContext = {
    data: { training: undefined, calibration: dataset, validation: dataset },
    evaluate: reference.evaluate,
    score: () => Promise.resolve(1),
    teacher: graph,
    seed: 1,
    keep: new Set(),
    target: { isa: 'avx512vnni' },
  };
  return pruneStructured.apply(graph, parseOptions(pruneStructured.options, options), context);
}

describeWithData('real models at 70 % of their MACs', () => {
  test.each([
    'resnet8_cifar10_mlperftiny',
    'resnet20_cifar10',
    'dscnn_kws_mlperftiny',
    'mobilenetv1_025_vww96_mlperftiny',
    'squeezenet1_1_imagenet',
    'aidreams260k_transformer',
    'ultraface_rfb_320',
  ])('%s runs in onnxruntime and in the engine', async (model) => {
    const graph = await read(model);
    const { graph: pruned, report } = await prune(graph, { macs: 0.7, reconstruct: false });
    expect(verify(pruned)).toEqual([]);
    expect((report as StructuredReport).goal?.reached).toBe(true);
    const share = countMacs(pruned) / countMacs(graph);
    expect(share).toBeLessThanOrEqual(0.7);
    expect(share).toBeGreaterThanOrEqual(0.95 * 0.7);
    const feeds = feedsFor(pruned);
    const [output] = pruned.outputs;
    const expected = viewAs((await reference.evaluate(pruned, feeds, [output])).get(output)!, 'float32');
    expect(expected.every(Number.isFinite)).toBe(true);

    const shapes = Object.fromEntries(symbolsOf(pruned).map((symbol) => [symbol, 1]));
    const single = prepare(pruned, { shapes }).graph;
    const missing = diagnose(single);
    // A transformer multiplies activations, which the engine cannot: pruning must not change what is missing.
    expect(missing).toEqual(diagnose(prepare(graph, { shapes }).graph));
    if (missing.length > 0) return;
    const found = runEngine(compile(single, { sourceHash: HASH }).plan, feeds)[output];
    expect(found.length).toBe(expected.length);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    const errors = Array.from(found, (value, i) => Math.abs(value - expected[i]) / largest);
    expect(errors.reduce((worst, error) => Math.max(worst, error), 0)).toBeLessThan(1e-3);
  });

  test('resnet20 has a branch per block that keeps its extents', async () => {
    const graph = await read('resnet20_cifar10');
    expect(findBranches(graph)).toHaveLength(7);
  });

  test('a network whose channels all reach outputs or states is refused with reasons', async () => {
    const dtln = await read('dtln_1_lstm');
    await expect(prune(dtln, {})).rejects.toThrow(/lstm_4: .*; lstm_5: .*; dense_2: it reaches the graph output/);
  });
});
