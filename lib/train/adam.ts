import { floats } from '../ops/gradients';
import type { Optimizer } from './optimizer';

export interface AdamOptions {
  /** Part of the mean gradient that stays from step to step; 0.9 when left out. */
  readonly beta1?: number;
  /** Part of the mean squared gradient that stays from step to step; 0.999 when left out. */
  readonly beta2?: number;
  /** Keeps the division finite; 1e-8 when left out. */
  readonly epsilon?: number;
  /** Pull towards zero per step, as a share of the learning rate, for parameters of rank >= 2; 0 when left out. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1): `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * w = w - rate * m/(1 - b1^t) / (sqrt(v/(1 - b2^t)) + epsilon)`. Weight decay stands beside the gradient, not in it: AdamW
 * (Loshchilov and Hutter 2019, algorithm 2).
 */
export function adam(options: AdamOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  return {
    slots: ['mean', 'square'],
    scalars: {
      mean_correction: (step) => 1 / (1 - beta1 ** step),
      square_correction: (step) => 1 / (1 - beta2 ** step),
    },
    update(emit, { value, gradient, slots: [meanBefore, squareBefore], learningRate, scalars }) {
      const constant = (factor: number) => floats(emit, [factor]);
      const mul = (a: string, b: string) => emit.node('Mul', [a, b]);
      const add = (a: string, b: string) => emit.node('Add', [a, b]);
      const mean = add(mul(meanBefore, constant(beta1)), mul(gradient, constant(1 - beta1)));
      const squared = mul(mul(gradient, gradient), constant(1 - beta2));
      const square = add(mul(squareBefore, constant(beta2)), squared);
      const root = emit.node('Sqrt', [mul(square, scalars.square_correction)]);
      const direction = emit.node('Div', [mul(mean, scalars.mean_correction), add(root, constant(epsilon))]);
      const decays = weightDecay !== 0 && emit.typeOf(value).shape!.length >= 2;
      const pull = decays ? add(direction, mul(value, constant(weightDecay))) : direction;
      return { value: emit.node('Sub', [value, mul(pull, learningRate)]), slots: [mean, square] };
    },
  };
}
