import { z } from 'zod';

const pair = {
  student: z.string().min(1).describe('value of the network in training'),
  teacher: z.string().min(1).describe('value of the teacher'),
};

/** What a teacher does in training. */
export const distillationOptions = z.strictObject({
  mode: z
    .enum(['logits', 'soft-labels', 'two-stage', 'off'])
    .default('logits')
    .describe(
      'logits: labels and the outputs of the teacher together, weighed by alpha; soft-labels: the outputs alone; two-stage: the outputs in the first half of the training, then the labels; off: no teacher',
    ),
  temperature: z
    .number()
    .positive()
    .default(4)
    .describe('softens both distributions of classes; small networks with few classes take up to 20'),
  alpha: z.number().min(0).max(1).default(0.7).describe('weight of the teacher; the labels get the rest'),
  hints: z
    .array(z.strictObject({ ...pair, weight: z.number().positive().default(1).describe('factor of this term') }))
    .default([])
    .describe('inner values that are to come near those of the teacher; a learned 1x1 layer joins different widths'),
  attention: z
    .array(
      z.strictObject({
        ...pair,
        weight: z.number().positive().default(500).describe('factor of this term, half of the beta of the paper'),
      }),
    )
    .default([])
    .describe('inner values [N, C, ...] whose maps of attention are to come near those of the teacher'),
});
export type DistillationOptions = z.output<typeof distillationOptions>;
