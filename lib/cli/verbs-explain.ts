import { explainReport } from '../jobs/explain';
import { readReport } from '../jobs/recipe-report';
import { text } from './options';
import { percentText } from './text';
import type { Verb } from './verb';

export const explainVerb: Verb = {
  name: 'explain',
  summary: 'say why each layer of a compressed model got its treatment',
  args: [{ name: '<model>', description: 'a model that a recipe made, with its report beside it; or the report' }],
  options: [{ flags: '--layer <glob>', description: 'only layers with such names' }],
  examples: ['hone explain small.onnx', "hone explain small.onnx.report.json --layer 'conv*'"],
  async run([path], options, console) {
    const report = await readReport(path);
    const layers = explainReport(report, text(options, 'layer'));
    const { model, result, leftOut, missed, metric, baseline, interrupted } = report;
    console.result({ model, result, leftOut, missed, interrupted, layers });
    const [before, after] = [baseline, result].map(({ accuracy }) => percentText(accuracy));
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
