import { HoneError } from '../core/error';
import { requireModel } from '../jobs/make-plan';
import { OPTIMIZERS, type TrainingSettings, trainModel } from '../jobs/train';
import type { EpochReport } from '../jobs/training-run';
import { SCHEDULES } from '../train/schedules';
import { CLIP_SHARE } from '../train/train-options';
import { COMMON, decimal, flag, INPUTS, integer, openModel, preprocessing, requiredFlag, text } from './flags';
import { signalExitCode } from './interrupt';
import { targetOf } from './target';
import { bytesText, percentText } from './text';
import type { OptionValues, Verb } from './verb';

export const trainVerb: Verb = {
  args: [{ name: '<model>', description: 'a float ONNX model, trained or freshly initialised' }],
  options: [
    COMMON.data,
    {
      flags: '--validation <path>',
      description: 'samples that choose the best epoch; a tenth of --data when left out',
    },
    { flags: '--out <path>', description: 'file to write; <model>.trained.onnx when left out' },
    { flags: '--epochs <n>', description: 'passes over the samples', default: '10' },
    { flags: '--batch <n>', description: 'samples per step', default: '64' },
    { flags: '--learning-rate <r>', description: 'learning rate at its highest', default: '0.01' },
    { flags: '--schedule <name>', description: `course of the rate: ${names(SCHEDULES)}`, default: 'cosine' },
    { flags: '--optimizer <name>', description: names(OPTIMIZERS), default: 'sgd' },
    { flags: '--weight-decay <d>', description: 'pull of weights towards zero', default: '0.0005' },
    { flags: '--label-smoothing <s>', description: 'share of the target spread over all classes', default: '0' },
    {
      flags: '--clip <share>',
      description: "largest norm of a tensor's gradient, as a share of the tensor's (0: no limit); with sgd",
      default: String(CLIP_SHARE),
    },
    { flags: '--augment <list>', description: 'changes of pictures at random: shift=<pixels>, flip' },
    { flags: '--seed <n>', description: 'decides everything that is random', default: '1' },
    {
      flags: '--checkpoint-every <n>',
      description: 'steps between two checkpoints; half a minute of work when left out',
    },
    ...INPUTS,
    COMMON.preprocess,
  ],
  examples: [
    'hone train model.onnx --data train.npz --validation val.npz --epochs 20',
    'hone train model.onnx --data train-shards/ --augment shift=2,flip --optimizer adamw --learning-rate 0.001',
  ],
  async run([path], options, console) {
    const data = requiredFlag(options, 'data', 'train');
    const target = await targetOf(path, options, '.trained.onnx');
    const settings = await settingsOf(options);
    const model = requireModel(await openModel(path, options, console), 'train');
    const checkpointEvery = integer(options, 'checkpointEvery', 1, 1e9);
    const validation = text(options, 'validation');
    const report = await trainModel(model, {
      data,
      target,
      settings,
      ...(validation !== undefined && { validation }),
      ...(checkpointEvery !== undefined && { checkpointEvery }),
      signal: console.signal,
      // The time left is that of this run's own steps.
      onProgress: ({ step, steps, resumedFrom }) => {
        const what = resumedFrom === 0 ? 'step' : `step ${resumedFrom} +`;
        console.progress(what, step - resumedFrom, steps - resumedFrom);
      },
      onEpoch: (epoch) => console.say(epochText(epoch, settings.epochs)),
      onRescue: ({ step, from, rateFactor }) =>
        console.note(`diverged at step ${step}: goes on from step ${from} at ${rateFactor} of the learning rate`),
    });
    console.result(report);
    const { samples, best, resumedFrom, interrupted } = report;
    if (resumedFrom !== null) console.say(`went on from step ${resumedFrom}`);
    console.say(`${samples.training} samples trained, ${samples.validation} validated; seed ${report.seed}`);
    console.say(
      `wrote ${target}: epoch ${best.epoch}, ${percentText(best.accuracy)} right (${bytesText(report.sizeBytes)})`,
    );
    if (!interrupted) return undefined;
    console.note('stopped early: this is the best epoch so far; the same command goes on from here');
    return signalExitCode(console.signal) ?? 1;
  },
};

function epochText({ epoch, loss, accuracy }: EpochReport, epochs: number): string {
  const what = loss === null ? 'as it came' : `loss ${loss.toPrecision(3)}`;
  return `epoch ${epoch}/${epochs}: ${what}, ${percentText(accuracy)} right`;
}

async function settingsOf(options: OptionValues): Promise<TrainingSettings> {
  return {
    epochs: integer(options, 'epochs', 1, 1e6)!,
    batchSize: integer(options, 'batch', 1, 1e6)!,
    learningRate: decimal(options, 'learningRate', Number.MIN_VALUE, 1e3),
    schedule: choice(options, 'schedule', SCHEDULES),
    optimizer: choice(options, 'optimizer', OPTIMIZERS),
    weightDecay: decimal(options, 'weightDecay', 0, 10),
    labelSmoothing: decimal(options, 'labelSmoothing', 0, 0.99),
    // Adam divides by the size of gradients itself.
    clipShare: text(options, 'optimizer') === 'adamw' ? 0 : decimal(options, 'clip', 0, 1e9),
    augment: augmentation(options),
    seed: integer(options, 'seed', 0, 2 ** 32 - 1)!,
    ...(await preprocessing(options)),
  };
}

function names(table: Readonly<Record<string, unknown>>): string {
  return Object.keys(table)
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' or ');
}

function choice<K extends string>(options: OptionValues, name: string, table: Readonly<Record<K, unknown>>): K {
  const found = text(options, name) ?? '';
  if (Object.hasOwn(table, found)) return found as K;
  throw new HoneError('E_OPTION_VALUE', { option: flag(name), expected: names(table), found });
}

/** `shift=2,flip` as options of `augment`. */
function augmentation(options: OptionValues): TrainingSettings['augment'] {
  const parts = (text(options, 'augment') ?? '').split(',').filter((part) => part !== '');
  const refuse = (found: string) =>
    new HoneError('E_OPTION_VALUE', {
      option: '--augment',
      expected: 'shift=<pixels> and flip, as in shift=2,flip',
      found,
    });
  let [shift, flip] = [0, false];
  for (const part of parts) {
    const pixels = /^shift=(\d{1,3})$/.exec(part)?.[1];
    if (pixels !== undefined) shift = Number(pixels);
    else if (part === 'flip') flip = true;
    else throw refuse(part);
  }
  return { shift, flip };
}
