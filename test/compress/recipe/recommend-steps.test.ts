import { METHODS } from '../../../lib/compress/recipe/methods';
import { recipeSchema } from '../../../lib/compress/recipe/recipe-schema';
import { recommendAugment, recommendSteps } from '../../../lib/compress/recipe/recommend-steps';
import { orderWarnings, stepsOf } from '../../../lib/compress/recipe/steps';
import type { ElementType } from '../../../lib/ir/element-type';

const names = (steps: readonly object[]) => steps.map((step) => Object.keys(step)[0]);

test.each([
  [undefined, {}, ['quantize']],
  [undefined, { maxDrop: 1 }, ['prune-structured', 'quantize']],
  [2000, {}, ['prune-structured', 'finetune', 'quantize']],
  [2000, { maxDrop: 1 }, ['prune-structured', 'finetune', 'quantize']],
] as const)('%s training samples, %j: %j', (training, goals, expected) => {
  const steps = recommendSteps(training, { tries: 8, ...goals });
  expect(names(steps)).toEqual(expected);
  const parsed = stepsOf(recipeSchema.parse({ steps }).steps!, METHODS);
  expect(orderWarnings(parsed, METHODS)).toEqual([]);
});

test.each([
  [1, 1, 40],
  [10, 10, 40],
  [72, 16, 40],
  [240, 16, 27],
  [400, 32, 34],
  [2160, 64, 13],
  [4320, 64, 6],
  [50_000, 64, 5],
])('%d training samples: batches of %d, %d epochs', (training, batchSize, epochs) => {
  const [, { finetune }] = recommendSteps(training, { tries: 8 });
  expect(finetune).toEqual({ batchSize, epochs });
  // Every epoch has a full batch.
  expect(batchSize).toBeLessThanOrEqual(training);
});

test.each<[what: string, inputs: [ElementType, number[]][], expected: { shift: number; flip: boolean }]>([
  ['CIFAR pictures', [['float32', [3, 32, 32]]], { shift: 2, flip: true }],
  ['photographs', [['float32', [3, 224, 224]]], { shift: 14, flip: true }],
  ['wide photographs', [['float32', [3, 120, 160]]], { shift: 8, flip: true }],
  ['digits', [['float32', [1, 28, 28]]], { shift: 2, flip: false }],
  ['a spectrogram of 49 frames and 10 coefficients', [['float32', [1, 49, 10]]], { shift: 0, flip: false }],
  ['a long spectrogram', [['float32', [1, 64, 200]]], { shift: 0, flip: false }],
  ['two channels', [['float32', [2, 32, 32]]], { shift: 0, flip: false }],
  ['features', [['float32', [40]]], { shift: 0, flip: false }],
  ['bytes', [['uint8', [3, 32, 32]]], { shift: 0, flip: false }],
  [
    'a picture beside a vector',
    [
      ['float32', [3, 32, 32]],
      ['float32', [4]],
    ],
    { shift: 0, flip: false },
  ],
])('%s', (_, inputs, expected) => {
  const named = inputs.map(([type, dims], index) => [`input${index}`, { type, dims }] as const);
  expect(recommendAugment(new Map(named))).toEqual(expected);
});
