import type { Dataset } from '../../ir/dataset';
import type { Recipe, RecipeInput } from './recipe-schema';

/** Share of the multiply-accumulates that stays: recovery makes up for more than a re-fit of the weights does. */
const MACS = { trained: 0.7, fitted: 0.9 };
/** Steps that recovery takes at least, as far as the most epochs allow: few samples are read more often. */
const RECOVERY = { steps: 400, epochs: { least: 5, most: 40 } } as const;

/**
 * The steps for a recipe that names none, in the recommended order. With training samples: structured pruning, recovery,
 * quantization. Without: quantization with corrected biases, after a little structured pruning if `maxDrop` watches over it.
 * Single weights are not pruned: that saves no time on the engine.
 * @param training number of training samples
 */
export function recommendSteps(
  training: number | undefined,
  { maxDrop }: Recipe['goals'],
): NonNullable<RecipeInput['steps']> {
  if (training !== undefined)
    return [
      { 'prune-structured': { macs: MACS.trained } },
      { finetune: recommendRecovery(training) },
      { quantize: {} },
    ];
  const quantize = { quantize: { biasCorrection: true } };
  return maxDrop === undefined ? [quantize] : [{ 'prune-structured': { macs: MACS.fitted } }, quantize];
}

/** Batches small enough to make several steps of an epoch, and epochs enough to make several hundred in all. */
function recommendRecovery(samples: number): { readonly epochs: number; readonly batchSize: number } {
  const batchSize = samples >= 1024 ? 64 : samples >= 256 ? 32 : Math.max(1, Math.min(16, samples));
  const perEpoch = Math.max(1, Math.floor(samples / batchSize));
  const { least, most } = RECOVERY.epochs;
  return { epochs: Math.max(least, Math.min(most, Math.ceil(RECOVERY.steps / perEpoch))), batchSize };
}

/** Shortest side of what is taken for a picture, largest quotient of its sides, and side per pixel of shift. */
const PICTURE = { side: 16, quotient: 2, perShift: 16 } as const;

/**
 * Random changes of training pictures for a recipe that names neither steps nor changes: shifts by a sixteenth of the shorter
 * side, and mirroring where there are three channels. One channel is as likely a digit or a letter, which is another one in the
 * mirror; what is small or long (a spectrogram) is left alone.
 */
export function recommendAugment(inputs: Dataset['inputs']): NonNullable<Recipe['data']['augment']> {
  const [first, ...others] = inputs.values();
  const none = { shift: 0, flip: false };
  if (!first || others.length > 0 || first.type !== 'float32' || first.dims.length !== 3) return none;
  const [channels, height, width] = first.dims;
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  if ((channels !== 1 && channels !== 3) || short < PICTURE.side || long > PICTURE.quotient * short) return none;
  return { shift: Math.round(short / PICTURE.perShift), flip: channels === 3 };
}
