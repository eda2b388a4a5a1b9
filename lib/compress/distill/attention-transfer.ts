import { elementCount } from '../../ir/tensor';
import { dimsOf, floats, int64s, reshapeTo } from '../../ops/gradients';
import type { Emitter } from '../../ops/operator';
import type { LossBuilder } from '../../train/losses';

/** Keeps the norm of a map of attention that is zero everywhere from being divided by. */
const SMALLEST_NORM = 1e-6;

export interface AttentionTransferOptions {
  /** Value of the model, `[N, C, places...]`. */
  readonly value: string;
  /** The batch's array with the value of the teacher. */
  readonly target: string;
  /** Its shape `[N, channels, places...]`: as many places, any number of channels. */
  readonly dims: readonly number[];
}

/**
 * Mean squared difference of maps of attention: a map is the sum of squares over the channels, divided by its norm
 * (Zagoruyko and Komodakis 2017, equation 2 with p = 2; the difference is squared, so that it is smooth at zero).
 */
export function attentionTransfer({ value, target, dims }: AttentionTransferOptions): LossBuilder {
  return (emit) => {
    const other = attentionMap(emit, emit.namedInput(target, 'float32', dims));
    const difference = emit.node('Sub', [attentionMap(emit, value), other]);
    return emit.node('ReduceMean', [emit.node('Mul', [difference, difference])], { keepdims: 0 });
  };
}

/** `[N, places]`, each row of norm 1. */
function attentionMap(emit: Emitter, value: string): string {
  const [samples, , ...places] = dimsOf(emit, value);
  const energy = emit.node('ReduceSum', [emit.node('Mul', [value, value]), int64s(emit, [1])], { keepdims: 0 });
  const flat = reshapeTo(emit, energy, [samples, elementCount(places)]);
  const squares = emit.node('ReduceSum', [emit.node('Mul', [flat, flat]), int64s(emit, [1])], { keepdims: 1 });
  const norms = emit.node('Sqrt', [emit.node('Add', [squares, floats(emit, [SMALLEST_NORM ** 2])])]);
  return emit.node('Div', [flat, norms]);
}
