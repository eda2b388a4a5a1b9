import { makePlan, requireModel } from '../jobs/make-plan';
import { writeFileAtomically } from '../jobs/write-file';
import { colors } from './colors';
import {
  COMMON,
  INPUTS,
  MODEL,
  openModel,
  preprocessing,
  QUANTIZE,
  quantizeFlags,
  text,
  VERBOSE,
  variantsOf,
  watched,
} from './flags';
import { targetOf } from './target';
import { bytesText, diagnosticLines } from './text';
import type { Verb } from './verb';

export const compileVerb: Verb = {
  args: [{ ...MODEL, description: 'an ONNX model, float or quantized' }],
  options: [
    { flags: '--out <path>', description: 'file to write; <model>.plan when left out' },
    COMMON.calibration,
    ...INPUTS,
    {
      flags: '--variant <shapes>',
      description:
        'one more set of input shapes in the plan, as in x=1,3,320,320;y=1,4; once per set, weights are shared',
      repeatable: true,
    },
    {
      flags: '--keep-states',
      description: 'keep states (h and hn, or as --state says) in the plan from run to run: no inputs and outputs then',
    },
    COMMON.preprocess,
    COMMON.sound,
    COMMON.outputs,
    VERBOSE,
    ...QUANTIZE,
  ],
  examples: ['hone compile model.int8.onnx', 'hone compile model.onnx --calibration calib.npz'],
  async run([path], options, console) {
    const target = await targetOf(path, options, '.plan');
    const model = requireModel(await openModel(path, options, console), 'compile');
    const data = text(options, 'calibration');
    const { plan, diagnostics } = await makePlan(model, {
      ...(data === undefined ? {} : { data }),
      ...(await preprocessing(options)),
      quantize: quantizeFlags(options),
      keepStates: options.keepStates === true,
      variants: variantsOf(options),
      ...watched(console),
    });
    await writeFileAtomically(target, plan);
    console.result({ path: target, sizeBytes: plan.length, warnings: diagnostics });
    if (diagnostics.length > 0) console.say(colors.yellow('warnings:'));
    for (const line of diagnosticLines(diagnostics, options.verbose === true)) console.say(line);
    console.say(`wrote ${target}: ${bytesText(plan.length)}`);
    return undefined;
  },
};
