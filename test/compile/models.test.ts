import { readdirSync, readFileSync } from 'node:fs';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { expectedInputs } from '../../lib/data/fit-input';
import { openDataset } from '../../lib/data/open-dataset';
import type { PlanArray } from '../../lib/engine/addon';
import { numbersOf } from '../../lib/engine/arrays';
import { openSession } from '../../lib/engine/session';
import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor } from '../../lib/ir/tensor';
import { Scorer } from '../../lib/jobs/score';
import { readModelFile } from '../../lib/onnx/read-model';
import { parseTensor } from '../../lib/onnx/read-tensor';
import { readPlan } from '../../lib/plan/reader';
import { dataPath, describeWithData } from '../data';
import { arrayOf, runEngine, runReference } from './run-case';
import { BAR_MODELS, planOf, quantized } from './sample-plans';

/** Most test samples that accuracy is measured on. */
const SAMPLES = 1000;

const readModel = (model: string): Promise<Graph> => readModelFile(dataPath('models', `${model}.onnx`));

/** Inputs and outputs of the golden sets of a model, one map per set. */
function goldenSets(model: string, graph: Graph): { inputs: Map<string, Tensor>; outputs: Map<string, Tensor> }[] {
  const read = (set: string, prefix: string, names: readonly string[]): Map<string, Tensor> =>
    new Map(
      names.map((fallback, index) => {
        const path = dataPath('golden', model, set, `${prefix}_${index}.pb`);
        const { name, tensor } = parseTensor(readFileSync(path));
        return [name || fallback, tensor];
      }),
    );
  return readdirSync(dataPath('golden', model)).map((set) => ({
    inputs: read(set, 'input', graph.inputs),
    outputs: read(set, 'output', graph.outputs),
  }));
}

/** Largest difference relative to the largest expected magnitude. */
function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found).toHaveLength(expected.length);
  const largest = Array.from(expected, Math.abs).reduce((a, b) => Math.max(a, b), 1e-9);
  return Array.from(found).reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i])), 0) / largest;
}

/** Runs a plan sample by sample. */
function classifier(plan: Uint8Array): { run: (sample: PlanArray) => number[]; close: () => void } {
  const session = openSession(plan, { threads: 2 });
  const [{ name }] = session.inputs;
  const [output] = session.outputs;
  return {
    run: (sample) => Array.from(numbersOf(session.run({ [name]: sample })[output.name])),
    close: () => session.close(),
  };
}

/** Judges the int8 plan by the float plan on the same samples. */
async function score(integer: Uint8Array, float: Uint8Array, dataset: Dataset) {
  const [quick, exact] = [classifier(integer), classifier(float)];
  const scorer = new Scorer({ kind: 'classes' }, true, undefined);
  const count = Math.min(SAMPLES, dataset.count);
  for await (const { inputs, labels, count: size } of dataset
    .select(Array.from({ length: count }, (_, i) => i))
    .batches({ size: 100 })) {
    const [tensor] = [...inputs.values()];
    const length = elementCount(tensor.dims) / size;
    for (let i = 0; i < size; i++) {
      const sample = arrayOf(tensor).slice(i * length, (i + 1) * length);
      const [found, float] = [quick, exact].map(({ run }) => [{ values: run(sample), dims: [] }]);
      scorer.add({ found, float, label: labels![i] });
    }
  }
  quick.close();
  exact.close();
  return scorer.score();
}

const operationsOf = (plan: Uint8Array): string[] => readPlan(plan).variants[0].nodes.map(({ op }) => op);

describeWithData('the real models on the engine', () => {
  test.each(BAR_MODELS)('$model: float as onnxruntime; int8 as accurate, every layer', async (row) => {
    const graph = await readModel(row.model);
    const float = planOf(graph);
    for (const { inputs, outputs } of goldenSets(row.model, graph)) {
      const found = runEngine(float, inputs);
      for (const [name, tensor] of outputs) expect(relativeError(found[name], arrayOf(tensor))).toBeLessThan(1e-4);
    }

    const open = (file: string) => openDataset(dataPath('npz', `${file}.npz`), { inputs: expectedInputs(graph) });
    const integer = planOf(await quantized(graph, await open(row.calibration)));
    const operations = operationsOf(integer);
    expect(operations.filter((op) => /^(conv|dwconv|fc|binary)_f32$/.test(op))).toEqual([]);
    const layers = graph.nodes.filter(({ op }) => ['Conv', 'Gemm', 'MatMul'].includes(op)).length;
    expect(operations.filter((op) => /^(conv|dwconv|fc)_s8$/.test(op))).toHaveLength(layers);

    const { drop, dropStandardError, agreement } = await score(integer, float, await open(row.test));
    expect(drop! - dropStandardError!).toBeLessThanOrEqual(0.01);
    expect(agreement!).toBeGreaterThanOrEqual(0.97);
  });

  // No labelled samples here: the QDQ graph in onnxruntime tells what int8 should give.
  test.each(['mobilenetv1_025_vww96_mlperftiny', 'squeezenet1_1_imagenet'])(
    '%s: float as onnxruntime, int8 as its QDQ graph in onnxruntime',
    async (model) => {
      const graph = await readModel(model);
      const [{ inputs, outputs }] = goldenSets(model, graph);
      const float = runEngine(planOf(graph), inputs);
      for (const [name, tensor] of outputs) expect(relativeError(float[name], arrayOf(tensor))).toBeLessThan(1e-4);

      const qdq = await quantized(graph, datasetFromTensors('golden', inputs));
      const integer = planOf(qdq);
      expect(operationsOf(integer).filter((op) => /^(conv|dwconv|fc|binary)_f32$/.test(op))).toEqual([]);
      const expected = await runReference(qdq, inputs);
      const found = runEngine(integer, inputs);
      for (const [name, tensor] of expected) expect(relativeError(found[name], arrayOf(tensor))).toBeLessThan(0.02);
    },
  );

  test.each(['ultraface_rfb_320', 'magika_fast_v2_1', 'dtln_1_lstm'])('%s: float as its golden sets', async (model) => {
    const graph = await readModel(model);
    const sets = goldenSets(model, graph);
    expect(sets.length).toBeGreaterThan(0);
    for (const { inputs, outputs } of sets) {
      const float = runEngine(planOf(graph), inputs);
      for (const [name, tensor] of outputs) expect(relativeError(float[name], arrayOf(tensor))).toBeLessThan(1e-4);
    }
  });
});
