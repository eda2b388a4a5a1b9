import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { percentText } from '../../lib/cli/text';
import type { MethodContext } from '../../lib/compress/method';
import { quantizeMethod, quantizeMethodOptions } from '../../lib/compress/quantize/quantize-method';
import { parseOptions } from '../../lib/core/parse-options';
import { augment } from '../../lib/data/augment';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { readModelFile } from '../../lib/onnx/read-model';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { type EngineRun, runOnEngine } from './engine-accuracy';
import { spreadText } from './judge';
import { cifarSamples, lackingSamples, type Samples } from './samples';
import { meanOverSeeds, SEEDS } from './seeds';

const MODEL = 'models/resnet8_cifar10_mlperftiny.onnx';

/** Training with rounded numbers, chosen on the validation samples. */
const QAT = { epochs: 10, learningRate: 0.002, labels: 'ignore', select: 'last' };

interface Row {
  readonly name: string;
  readonly options: object;
  /** Trained rows are means over the seeds. */
  readonly trained?: boolean;
  /** Largest loss of accuracy, besides one standard error; undefined where it is only told. */
  readonly bar?: number;
}

/** All layers have these bits, the first and the last one too; activations have 8. */
const ROWS: readonly Row[] = [
  { name: 'W8A8', options: {} },
  { name: 'W4A8 nearest', options: { weightBits: 4 } },
  { name: 'W4A8 AdaRound', options: { weightBits: 4, rounding: 'adaround' }, bar: 0.015 },
  {
    name: 'W4A8 QAT',
    options: { weightBits: 4, rounding: 'adaround', method: 'qat', qat: QAT },
    trained: true,
    bar: 0.01,
  },
  { name: 'W3A8 AdaRound', options: { weightBits: 3, rounding: 'adaround' } },
  { name: 'W2A8 AdaRound', options: { weightBits: 2, rounding: 'adaround' } },
];

/** Accuracy of resnet8 with few bits per weight, by the integer engine, beside the float model. */
export async function runLowBits({ dataFolder, say }: TrialContext): Promise<TrialOutcome> {
  const model = resolve(dataFolder, MODEL);
  const lacking = existsSync(model) ? lackingSamples(dataFolder, 'cifar') : model;
  if (lacking) return { records: [], table: [], skipped: [`low-bits: ${lacking} is not there`], missed: [] };
  const samples = cifarSamples(dataFolder, 'raw');
  const graph = await readModelFile(model);
  await using reference = createReferenceEvaluate();
  const [float, validated] = [await runOnEngine(graph, samples.test), await runOnEngine(graph, samples.validation)];

  const records: TrialRecord[] = [];
  const table: string[][] = [['resnet8', 'validation', 'test', 'drop', 's.e.', 'agreement', 'bar']];
  table.push(['float', percentText(validated.accuracy), percentText(float.accuracy), '', '', '', '']);
  const missed: string[] = [];
  for (const { name, options, trained, bar } of ROWS) {
    const runs: { readonly validation: number; readonly test: EngineRun }[] = [];
    for (const seed of trained ? SEEDS : SEEDS.slice(0, 1)) {
      say(`low bits: ${name}${trained ? `, seed ${seed}` : ''}`);
      const quantized = await compress(graph, options, samples, seed, reference.evaluate);
      runs.push({
        validation: (await runOnEngine(quantized, samples.validation)).accuracy,
        test: await runOnEngine(quantized, samples.test),
      });
    }
    const drops = runs.map(({ test }) => float.accuracy - test.accuracy);
    const drop = mean(drops);
    const spread = trained ? meanOverSeeds(drops) : undefined;
    const standardError = spread?.standardError ?? pairedError(float, runs[0].test);
    const agreement = mean(runs.map(({ test }) => share(test.classes, (found, i) => found === float.classes[i])));
    const met = bar === undefined || drop <= bar + standardError;
    if (!met) missed.push(`${name}: drop ${percentText(drop)} > ${percentText(bar)} + ${percentText(standardError)}`);
    records.push({
      model: MODEL,
      form: name,
      options,
      seeds: trained ? [...SEEDS] : [],
      samples: samples.test.count,
      floatAccuracy: float.accuracy,
      accuracy: runs.map(({ test }) => test.accuracy),
      validation: runs.map(({ validation }) => validation),
      drop,
      ...(spread && { halfWidth95: spread.halfWidth95 }),
      standardError,
      agreement,
      ...(bar !== undefined && { bar }),
    });
    table.push([
      name,
      percentText(mean(runs.map(({ validation }) => validation))),
      percentText(mean(runs.map(({ test }) => test.accuracy))),
      spread ? spreadText(spread) : percentText(drop),
      percentText(standardError),
      percentText(agreement),
      bar === undefined ? 'none' : `${percentText(bar)}${met ? '' : ' missed'}`,
    ]);
  }
  return { records, table, skipped: [], missed };
}

async function compress(
  graph: Graph,
  options: object,
  { training, calibration, validation }: Samples,
  seed: number,
  evaluate: Evaluate,
): Promise<Graph> {
  const context: MethodContext = {
    data: { training: augment(training, { shift: 2, flip: true }), calibration, validation },
    evaluate,
    score: () => Promise.reject(new Error('the last epoch is taken')),
    teacher: graph,
    seed,
    keep: new Set(),
    target: { isa: 'ref' },
  };
  return (await quantizeMethod.apply(graph, parseOptions(quantizeMethodOptions, options), context)).graph;
}

/** Standard error of the difference between two runs over the same samples. */
function pairedError(a: EngineRun, b: EngineRun): number {
  const differences = Array.from(a.hits, (hit, i) => hit - b.hits[i]);
  const middle = mean(differences);
  const variance = differences.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (differences.length - 1);
  return Math.sqrt(variance / differences.length);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function share(values: Int32Array, holds: (value: number, index: number) => boolean): number {
  return values.filter(holds).length / values.length;
}
