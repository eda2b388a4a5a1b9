import { tensorFrom } from '../ir/tensor';
import type { GraphEmitter } from './emitter';

/** One parameter in the middle of a training step; all are names of values. */
export interface ParameterUpdate {
  readonly value: string;
  readonly gradient: string;
  /** State of the optimiser for this parameter, one value per slot, shaped like the parameter, zero at the start. */
  readonly slots: readonly string[];
  /** Scalar. */
  readonly learningRate: string;
}

/** How parameters move: nodes that compute the new value and the new state. */
export interface Optimizer {
  /** Names of the state tensors that every parameter has. */
  readonly slots: readonly string[];
  readonly update: (emit: GraphEmitter, parameter: ParameterUpdate) => { value: string; slots: readonly string[] };
}

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
