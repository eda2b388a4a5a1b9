import { z } from 'zod';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import type { TrainOptions } from '../train/options';
import { sgd } from '../train/sgd';
import { train } from '../train/train';
import type { MethodContext } from './method';

/** How a network is trained to win back accuracy; the same keys in every method that trains. */
export const recoveryOptions = z.strictObject({
  epochs: z.number().int().min(0).default(5).describe('passes over the training samples; 0 trains nothing'),
  batchSize: z.number().int().min(1).default(64).describe('samples per step'),
  learningRate: z.number().positive().default(0.01).describe('learning rate of the first step'),
  schedule: z.enum(['constant', 'linear', 'cosine']).default('cosine').describe('course of the learning rate, to zero'),
});
export type RecoveryOptions = z.output<typeof recoveryOptions>;

/**
 * The graph after training on the context's samples, with the float model as teacher unless the options say otherwise.
 * Weights that are zero on entry stay zero. `extra` are options of `train` that belong to the calling method (masks, learned
 * step sizes); `key` names its checkpoint.
 * @throws E_DATA_MISMATCH without training samples, what `train` throws
 */
export async function recover(
  graph: Graph,
  options: RecoveryOptions,
  context: MethodContext,
  key: string,
  extra: Partial<TrainOptions> = {},
): Promise<Graph> {
  if (options.epochs === 0) return graph;
  const { data, evaluate, seed, clock, signal, onProgress } = context;
  if (!data.training) throw new HoneError('E_DATA_MISMATCH', { expected: 'training samples', found: 'none' });
  const { learningRate } = options;
  return train(
    graph,
    data.training,
    {
      epochs: options.epochs,
      batchSize: options.batchSize,
      learningRate: (progress) => learningRate * 0.5 * (1 + Math.cos(Math.PI * progress)),
      optimizer: sgd(),
      seed,
      ...(clock && { clock }),
      ...(signal && { signal }),
      onProgress: ({ step, steps }) => onProgress?.(key, step, steps),
      ...extra,
    },
    evaluate,
  );
}
