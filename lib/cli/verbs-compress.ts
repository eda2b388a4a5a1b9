import { decibelsText } from '../compress/quantize/measure-quality';
import type { QuantizeReport } from '../compress/quantize/report';
import { largerFile } from '../compress/quantize/warnings';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { compress } from '../jobs/compress';
import { encodeModel } from '../jobs/encode-model';
import { engineView } from '../jobs/engine-shares';
import { requireModel } from '../jobs/make-plan';
import { prepareForEngine } from '../jobs/prepare-for-engine';
import { writeFileAtomically } from '../jobs/write-file';
import { colors } from './colors';
import type { Console } from './console';
import { engineLines } from './engine-lines';
import {
  COMMON,
  INPUTS,
  openModel,
  preprocessing,
  QUANTIZE,
  quantizeFlags,
  requiredFlag,
  text,
  VERBOSE,
  watched,
} from './flags';
import { layerTable, outputsText, skippedLines } from './quantize-lines';
import { targetOf } from './target';
import { bytesText, diagnosticLines, judgedByText } from './text';
import type { OptionValues, Verb } from './verb';

export const compressVerb: Verb = {
  args: [{ name: '[model]', description: 'a float ONNX model; left out when the recipe names it' }],
  options: [
    { flags: '--recipe <path>', description: 'YAML or JSON file that says how (docs/recipes.md)' },
    { ...COMMON.data, description: `${COMMON.data.description}; with a recipe: instead of its own, split as needed` },
    { flags: '--out <path>', description: 'file to write; <model>.int8.onnx, or <model>.hone.onnx with a recipe' },
    { flags: '--seed <n>', description: 'seed instead of that of the recipe' },
    { flags: '--cache <folder>', description: 'finished steps of a recipe; <out>.hone-cache when left out' },
    ...INPUTS,
    COMMON.preprocess,
    COMMON.sound,
    COMMON.outputs,
    VERBOSE,
    ...QUANTIZE,
  ],
  examples: [
    'hone compress model.onnx --data calib.npz',
    'hone compress model.onnx --data calib.npz --estimator entropy --equalize',
    'hone compress model.onnx --recipe recipe.yaml',
    'hone compress model.onnx --recipe recipe.yaml --data labelled.npz --out small.onnx',
  ],
  async run([path], options, console) {
    const recipe = text(options, 'recipe');
    return recipe === undefined ? toInt8(path, options, console) : byRecipe()(path, recipe, options, console);
  },
};

/** Loads all methods, which int8 compression alone does without. */
function byRecipe(): typeof import('./compress-by-recipe').byRecipe {
  return (require('./compress-by-recipe') as typeof import('./compress-by-recipe')).byRecipe;
}

async function toInt8(path: string | undefined, options: OptionValues, console: Console): Promise<undefined> {
  if (path === undefined) throw new HoneError('E_USAGE', { reason: 'missing argument <model>', verb: 'compress' });
  const data = requiredFlag(options, 'data', 'compress');
  const target = await targetOf(path, options, '.int8.onnx');
  const model = requireModel(await openModel(path, options, console), 'compress');
  const { graph, report: made } = await compress(model, {
    data,
    ...(await preprocessing(options)),
    quantize: quantizeFlags(options),
    ...watched(console),
  });
  const bytes = encodeModel(graph, model);
  await writeFileAtomically(target, bytes);
  const larger = largerFile(bytes.length, model.bytes.length);
  const report = { ...made, diagnostics: [...made.diagnostics, ...(larger ? [larger] : [])] };
  const { shares, groups } = engineView(prepareForEngine(graph));
  console.result({ path: target, sizeBytes: bytes.length, report, engine: { shares, groups } });
  const verbose = options.verbose === true;
  for (const line of layerTable(report, verbose)) console.say(line);
  for (const line of skippedLines(report, verbose)) console.say(line);
  for (const line of takenExtents(model.graph, graph)) console.say(line);
  const { calibration, judged } = report.samples;
  const found = outputsText(report.outputs);
  console.say(
    `calibrated with ${calibration} sample${calibration === 1 ? '' : 's'}; SQNR of outputs over all ${judged}: ${found}`,
  );
  console.say(`(${judgedByText(report.judgedBy)})`);
  const narrowed = report.layers.filter(({ narrowedChannels }) => narrowedChannels.length > 0);
  if (report.outputsWithSaturation !== null)
    console.say(
      `${narrowed.length} ${narrowed.length === 1 ? 'layer keeps' : 'layers keep'} clear of saturation; without that: ${outputsText(report.outputsWithSaturation)}`,
    );
  for (const repair of report.repairs) console.say(repairText(repair));
  for (const line of diagnosticLines(report.diagnostics, verbose)) console.say(colors.yellow(line));
  for (const line of engineLines({ shares, groups }, verbose)) console.say(line);
  console.say(`wrote ${target}: ${bytesText(bytes.length)} (float ${bytesText(model.bytes.length)})`);
  return undefined;
}

/** What a repair brought on held-out samples. */
function repairText({ what, tried, kept, sqnrDb }: QuantizeReport['repairs'][number]): string {
  const name = { equalization: 'equalization', rounding: 'AdaRound', biases: 'bias correction' }[what];
  if (kept.length === 0)
    return `${name}: not kept, ${sqnrDb.before === Number.POSITIVE_INFINITY ? 'held-out outputs are exact' : 'held-out outputs do not gain by it'}`;
  const gain = `${decibelsText(sqnrDb.before, true)} -> ${decibelsText(sqnrDb.after)} on held-out samples`;
  return `${name}: kept in ${kept.length} of ${tried} ${what === 'equalization' ? 'pairs of layers' : 'layers'}, ${gain}`;
}

/** Says which extents the samples have given. */
function takenExtents(before: Graph, after: Graph): string[] {
  const show = (graph: Graph, name: string) => graph.values.get(name)?.shape?.join(', ') ?? '?';
  return before.inputs
    .filter((name) => show(before, name) !== show(after, name))
    .map((name) => `input ${name} [${show(before, name)}] is now [${show(after, name)}], as the samples are`);
}
