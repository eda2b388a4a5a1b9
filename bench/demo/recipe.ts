import type { RecipeInput } from '../../lib/compress/recipe/recipe-schema';
import { PARTS } from './digits';

/** File of all digits, beside the recipe. */
export const DIGITS_FILE = 'digits.npz';

const samples = (part: keyof typeof PARTS) => ({ path: DIGITS_FILE, ...PARTS[part] });

/** How the demo makes its network small: what `recipe.yaml` in the demo's folder holds. */
export const RECIPE: RecipeInput = {
  seed: 1,
  data: {
    training: samples('training'),
    validation: samples('validation'),
    calibration: samples('calibration'),
    augment: { shift: 2 },
  },
  goals: { maxDrop: 1 },
  steps: [
    { 'prune-structured': { macs: 0.35, criterion: 'taylor' } },
    { finetune: { epochs: 2, batchSize: 32, learningRate: 0.01, distillation: { mode: 'off' } } },
    { distill: { epochs: 3, batchSize: 32, learningRate: 0.01 } },
    { quantize: {} },
  ],
};
