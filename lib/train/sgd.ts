import { floats } from '../ops/gradients';
import type { Optimizer } from './optimizer';

export interface SgdOptions {
  /** Part of the velocity that stays from step to step; 0.9 when left out. */
  readonly momentum?: number;
  /** Pull towards zero, added to the gradient of parameters of rank >= 2 (not to biases); 0 when left out. */
  readonly weightDecay?: number;
  /** Steps along the gradient and the velocity after it: `w = w - rate * (g + momentum * v)`; false when left out. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent with momentum: `v = momentum * v + g + decay * w; w = w - rate * v`
 * (Sutskever et al. 2013, in the form without dampening).
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0.9, weightDecay = 0, nesterov = false } = options;
  return {
    slots: momentum === 0 ? [] : ['velocity'],
    update(emit, { value, gradient, slots, learningRate }) {
      const scaled = (name: string, factor: number) => emit.node('Mul', [name, floats(emit, [factor])]);
      const decays = weightDecay !== 0 && emit.typeOf(value).shape!.length >= 2;
      const slope = decays ? emit.node('Add', [gradient, scaled(value, weightDecay)]) : gradient;
      const velocity = momentum === 0 ? slope : emit.node('Add', [scaled(slots[0], momentum), slope]);
      const ahead = nesterov && momentum !== 0;
      const direction = ahead ? emit.node('Add', [slope, scaled(velocity, momentum)]) : velocity;
      const next = emit.node('Sub', [value, emit.node('Mul', [direction, learningRate])]);
      return { value: next, slots: momentum === 0 ? [] : [velocity] };
    },
  };
}
