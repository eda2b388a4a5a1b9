import { z } from 'zod';
import type { Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import type { MethodContext } from '../method';
import { recover, recoveryOptions } from '../recover';
import { type FakeQuantized, fakeQuantize } from './fake-quantize';
import { type QuantizationPlan, writeQdq } from './plan';

/** How a quantized network is trained: as in every method that trains, with rates in steps of the grids. */
export const qatOptions = recoveryOptions.extend({
  epochs: recoveryOptions.shape.epochs.unwrap().default(10),
  optimizer: recoveryOptions.shape.optimizer.unwrap().default('adam'),
  learningRate: z
    .number()
    .positive()
    .default(0.005)
    .describe('largest learning rate; with adam in steps of each weight grid, with sgd as it is'),
  learnScales: z.boolean().default(true).describe('trains the scales of weights and computed activations along (LSQ)'),
});
export type QatOptions = z.output<typeof qatOptions>;

/**
 * The plan after quantization-aware training: the network computes with rounded weights and activations, gradients pass the
 * rounding (Bengio et al. 2013), and scales are learned with it (LSQ, Esser et al. 2020; LSQ+ where zero points are not zero,
 * Bhalgat et al. 2020, with the zero points that calibration has found). The float model teaches unless the options say
 * otherwise. What comes back has exactly the codes and scales that the last (or best) step computed with; the best is told by
 * `context.score` of the network that each plan is written as, which is what will run.
 * @throws what `recover` throws
 */
export async function trainQuantized(
  plan: QuantizationPlan,
  options: QatOptions,
  context: MethodContext,
): Promise<QuantizationPlan> {
  const { learnScales, ...recovery } = options;
  const fake = fakeQuantize(plan);
  const scales = learnScales ? fake.steps.map(({ name }) => name) : [];
  const score = (graph: Graph) => context.score(writeQdq(fake.planOf(graph)).graph);
  const trained = await recover(fake.graph, recovery, { ...context, score }, 'quantize', {
    trainable: [...fake.parameters.keys(), ...scales],
    rateFactors: rateFactors(fake, options),
  });
  return fake.planOf(trained);
}

/**
 * Rates beside each other. SGD: scales move by `1 / sqrt(numbers * limit)` of the rate (Esser et al. 2020, section 2.2). Adam,
 * whose steps do not depend on the size of gradients: weights move in units of their scale, scales and biases in units of
 * their own size.
 */
function rateFactors({ graph, parameters, steps }: FakeQuantized, { optimizer }: QatOptions): Map<string, number> {
  const factors = new Map<string, number>();
  if (optimizer === 'sgd') {
    for (const { name, count, limit } of steps) factors.set(name, 1 / Math.sqrt(count * limit));
    return factors;
  }
  for (const [name, scale] of parameters) factors.set(name, sizeOf(graph, scale ?? name) || 1);
  for (const { name, limit } of steps) factors.set(name, sizeOf(graph, name) / Math.sqrt(limit));
  return factors;
}

/** Root of the mean square of an initializer. */
function sizeOf(graph: Graph, name: string): number {
  const data = viewAs(graph.initializers.get(name)!, 'float32');
  return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
}
