import { decibelsText } from '../compress/quantize/measure-quality';
import { HoneError } from '../core/error';
import { explainReport } from '../jobs/explain';
import { requireFloat } from '../jobs/make-plan';
import { readReport } from '../jobs/recipe/recipe-report';
import { measureSensitivity, type SensitivityTrial } from '../jobs/sensitivity';
import { COMMON, INPUTS, integer, MODEL, openModel, preprocessing, requiredFlag, text } from './flags';
import { qualityText } from './step-table';
import { countText, table } from './text';
import type { OptionValues, Verb } from './verb';

export const explainVerb: Verb = {
  args: [{ name: '<model>', description: 'a model that a recipe made, with its report beside it; or the report' }],
  options: [{ flags: '--layer <glob>', description: 'only layers with such names' }],
  examples: ['hone explain small.onnx', "hone explain small.onnx.report.json --layer 'conv*'"],
  async run([path], options, console) {
    const report = await readReport(path);
    const glob = text(options, 'layer');
    const layers = explainReport(report, glob);
    if (glob !== undefined && layers.length === 0) {
      const names = explainReport(report).map(({ layer }) => layer);
      throw new HoneError('E_OPTION_VALUE', {
        option: '--layer',
        expected: `a name or glob that matches one of ${names.join(', ') || 'no layers'}`,
        found: glob,
      });
    }
    const { model, result, leftOut, missed, metric, baseline, interrupted } = report;
    console.result({ model, result, leftOut, missed, interrupted, layers });
    const [before, after] = [baseline, result].map((scored) => qualityText(scored, metric));
    console.say(`${result.path}, made from ${model.path}: ${metric} ${before} before, ${after} after`);
    for (const { layer, treatments } of layers) {
      console.say(layer);
      for (const { method, treatment, reason } of treatments) console.say(`  ${method}: ${treatment}: ${reason}`);
    }
    for (const { index, method, reason } of leftOut) console.say(`left out steps[${index}].${method}: ${reason}`);
    if (layers.length === 0) console.say('no layer was looked at');
    return undefined;
  },
};

export const sensitivityVerb: Verb = {
  args: [{ ...MODEL, description: 'a float ONNX model' }],
  options: [
    COMMON.data,
    { flags: '--bits <list>', description: 'bits of weights to try, 2 to 8', default: '8,4,2' },
    { flags: '--pruned <list>', description: 'shares of zero weights to try, in percent', default: '50,80' },
    { flags: '--samples <n>', description: 'most samples to run', default: '128' },
    ...INPUTS,
    COMMON.preprocess,
  ],
  examples: [
    'hone sensitivity model.onnx --data validation.npz',
    'hone sensitivity model.onnx --data validation.npz --bits 6,5,4,3 --pruned 90 --json',
  ],
  async run([path], options, console) {
    const data = requiredFlag(options, 'data', 'sensitivity');
    const bits = numbers(options, 'bits', 2, 8, true);
    const pruned = numbers(options, 'pruned', 0, 99.9, false);
    const found = await measureSensitivity(requireFloat(await openModel(path, options, console), 'examine'), {
      data,
      bits,
      sparsities: pruned.map((percent) => percent / 100),
      samples: integer(options, 'samples', 1, 1e9) ?? 128,
      ...(await preprocessing(options)),
      onProgress: (what, done, total) => console.progress(what, done, total),
      signal: console.signal,
    });
    console.result(found);
    const { layers, floatScore, metric, samples } = found;
    const head = [
      'layer',
      'op',
      'weights',
      ...bits.map((bit) => `${bit} bits`),
      ...pruned.map((share) => `${share} % zero`),
    ];
    const rows = layers.map(({ layer, op, weights, trials }) => [
      layer,
      op,
      countText(weights),
      ...bits.map((bit) =>
        damageText(
          trials.find((trial) => trial.bits === bit),
          floatScore,
        ),
      ),
      ...pruned.map((percent) =>
        damageText(
          trials.find((trial) => trial.sparsity === percent / 100),
          floatScore,
        ),
      ),
    ]);
    for (const line of table([head, ...rows])) console.say(line);
    const measure =
      floatScore === undefined
        ? 'SQNR of the output in dB'
        : `points of ${metric} lost ± their standard error / KL divergence in nats`;
    console.say(`each layer alone, ${samples} samples: ${measure}`);
    return undefined;
  },
};

function damageText(trial: SensitivityTrial | undefined, floatScore: number | undefined): string {
  if (trial === undefined) return '-';
  const { sqnrDb, kl, score, dropStandardError = 0 } = trial;
  if (score === undefined || floatScore === undefined || kl === undefined) return decibelsText(sqnrDb, true);
  const points = (share: number) => (100 * share).toFixed(2);
  return `${points(floatScore - score)} ± ${points(dropStandardError)} / ${kl.toPrecision(2)}`;
}

/** Numbers with commas between. @throws E_OPTION_VALUE */
function numbers(options: OptionValues, name: string, low: number, high: number, whole: boolean): number[] {
  const found = requiredFlag(options, name, 'sensitivity');
  const list = found.split(',').map((word) => (word.trim() === '' ? Number.NaN : Number(word)));
  if (list.every((value) => value >= low && value <= high && (!whole || Number.isInteger(value)))) return list;
  throw new HoneError('E_OPTION_VALUE', {
    option: `--${name}`,
    expected: `${whole ? 'whole ' : ''}numbers from ${low} to ${high} with commas between`,
    found,
  });
}
