import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { percentText, timeText } from '../lib/cli/text';
import { countMacs } from '../lib/compress/count-macs';
import type { MethodContext } from '../lib/compress/method';
import { quantize } from '../lib/compress/quantize/quantize';
import { pruneStructured } from '../lib/compress/structured/prune-structured';
import type { StructuredReport } from '../lib/compress/structured/structured-report';
import { parseOptions } from '../lib/core/parse-options';
import { Rng } from '../lib/core/rng';
import { datasetFromTensors } from '../lib/data/create-dataset';
import type { Dataset } from '../lib/ir/dataset';
import type { Graph } from '../lib/ir/graph';
import { elementCount, tensorFrom } from '../lib/ir/tensor';
import { hostIsa } from '../lib/jobs/layer-times';
import { readModelFile } from '../lib/onnx/read-model';
import { prepare } from '../lib/passes/pipeline';
import { createReferenceEvaluate } from '../lib/reference/evaluate';
import { median } from './timing';
import { timePair } from './training/time-pair';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';

/** Share of the MACs that stays. */
const MACS = 0.6;
/** Most of the dense time that a network may take; undefined: it is only stated. */
const BARS: Readonly<Record<string, number | undefined>> = {
  resnet20_cifar10: 0.72,
  mobilenetv1_025_vww96_mlperftiny: 0.72,
  resnet8_cifar10_mlperftiny: undefined,
  dscnn_kws_mlperftiny: undefined,
};
/** Sessions per network: where its arrays happen to lie makes some percent. */
const SESSIONS = 5;

/** Int8 times of networks that lost channels by the default options, untrained: neither time nor choice depends on samples. */
export async function runPrunedTimes({ dataFolder, pairs, say }: TrialContext): Promise<TrialOutcome> {
  const outcome = { records: [] as TrialRecord[], skipped: [] as string[], missed: [] as string[] };
  const table = [['model', 'MACs', 'modelled', 'time', 'of dense', 'sessions']];
  const reference = createReferenceEvaluate();
  try {
    for (const [model, bar] of Object.entries(BARS)) {
      const path = resolve(dataFolder, 'models', `${model}.onnx`);
      if (!existsSync(path)) {
        outcome.skipped.push(`pruned-times: ${path} is not there`);
        continue;
      }
      say(`pruned-times: ${model}`);
      const dense = prepare(await readModelFile(path)).graph;
      const samples = drawnFor(dense);
      const { evaluate } = reference;
      const context: MethodContext = {
        data: { training: undefined, calibration: samples, validation: samples },
        evaluate,
        score: () => Promise.reject(new Error('nothing is scored')),
        teacher: dense,
        seed: 1,
        keep: new Set(),
        target: { isa: hostIsa() },
      };
      const options = parseOptions(pruneStructured.options, { macs: MACS, reconstruct: false });
      const { graph, report } = await pruneStructured.apply(dense, options, context);
      const toInt8 = async (float: Graph) => (await quantize(float, { dataset: samples, evaluate })).graph;
      const [whole, pruned] = [await toInt8(dense), await toInt8(graph)];
      const runs = [];
      for (let session = 0; session < SESSIONS; session++) runs.push(await timePair(whole, pruned, samples, pairs));
      const ratios = runs.map(({ ratio }) => 1 / ratio);
      const us = { whole: median(runs.map((run) => run.wholeUs)), pruned: median(runs.map((run) => run.prunedUs)) };
      const macs = countMacs(graph) / countMacs(dense);
      const modelled = (report as StructuredReport).modelledTime.share;
      const timeOfDense = median(ratios);
      outcome.records.push({
        model,
        isa: hostIsa(),
        goal: MACS,
        macs,
        modelled,
        us,
        timeOfDense,
        sessions: ratios,
        bar,
      });
      table.push([
        model,
        percentText(macs),
        modelled.toFixed(3),
        `${timeText(us.whole)} -> ${timeText(us.pruned)}`,
        timeOfDense.toFixed(3),
        ratios.map((ratio) => ratio.toFixed(3)).join(' '),
      ]);
      if (bar !== undefined && timeOfDense > bar)
        outcome.missed.push(`pruned-times ${model}: ${timeOfDense.toFixed(3)} of the dense time (at most ${bar})`);
    }
  } finally {
    await reference.close();
  }
  return { ...outcome, table };
}

/** Samples of drawn numbers for every input. */
function drawnFor(graph: Graph, count = 16): Dataset {
  const rng = new Rng(1);
  const tensors = graph.inputs.map((name) => {
    const shape = graph.values.get(name)!.shape!.slice(1) as number[];
    const values = Array.from({ length: count * elementCount(shape) }, () => rng.uniform());
    return [name, tensorFrom('float32', [count, ...shape], values)] as const;
  });
  return datasetFromTensors('drawn numbers', new Map(tensors));
}
