import { tensorFrom } from '../ir/tensor';
import type { Optimizer } from './optimizer';

export type { Optimizer } from './optimizer';

export interface SgdOptions {
  /** Part of the velocity that stays from step to step; 0.9 when left out. */
  readonly momentum?: number;
  /** Pull towards zero, added to the gradient of parameters of rank >= 2 (not to biases); 0 when left out. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent with momentum: `v = momentum * v + g + decay * w; w = w - rate * v`
 * (Sutskever et al. 2013, in the form without dampening).
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0.9, weightDecay = 0 } = options;
  return {
    slots: momentum === 0 ? [] : ['velocity'],
    update(emit, { value, gradient, slots, learningRate }) {
      const scaled = (name: string, factor: number) =>
        emit.node('Mul', [name, emit.constant(tensorFrom('float32', [], [factor]))]);
      const decays = weightDecay !== 0 && emit.typeOf(value).shape!.length >= 2;
      const slope = decays ? emit.node('Add', [gradient, scaled(value, weightDecay)]) : gradient;
      const velocity = momentum === 0 ? slope : emit.node('Add', [scaled(slots[0], momentum), slope]);
      const next = emit.node('Sub', [value, emit.node('Mul', [velocity, learningRate])]);
      return { value: next, slots: momentum === 0 ? [] : [velocity] };
    },
  };
}
