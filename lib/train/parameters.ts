import { elementCount, tensorFrom } from '../ir/tensor';
import { floats } from '../ops/gradients';
import type { GraphEmitter } from './emitter';
import type { Optimizer } from './optimizer';

/** A tensor that is an input of a step and, renewed, an output. */
export interface Carried {
  readonly input: string;
  readonly output: string;
  readonly dims: readonly number[];
}

/** A trainable initializer inside a training step. */
export interface StepParameter extends Carried {
  /** Name of the initializer in the model, and of the input. */
  readonly name: string;
  /** State of the optimiser. */
  readonly slots: readonly Carried[];
  /** Input with the mask of 0 and 1. */
  readonly mask?: string;
  /** Sum of `-w * dL/dw` (movement). */
  readonly score?: Carried;
  /** Exponential moving average. */
  readonly average?: Carried;
}

/** A scalar float32 input whose value is a function of the step (from 1). */
export interface StepScalar {
  readonly input: string;
  readonly at: (step: number) => number;
}

/** One parameter before its update: where its value, mask and gradient are. */
export interface Movable {
  readonly name: string;
  /** dL/d of what the forward pass sees. */
  readonly gradient: string;
  readonly mask: string | undefined;
}

export interface UpdateOptions {
  readonly optimizer: Optimizer;
  /** Scalar. */
  readonly learningRate: string;
  readonly rateFactors?: ReadonlyMap<string, number>;
  /** `frozen`: masked elements get no gradient; `dense`: they do. */
  readonly masking?: 'frozen' | 'dense';
  readonly movement?: boolean;
  readonly clipNorm?: number;
  readonly clipShare?: number;
  readonly emaDecay?: number;
}

/** Emits clipping, optimiser, averages and scores for all parameters. */
export function emitUpdates(
  emit: GraphEmitter,
  movables: readonly Movable[],
  options: UpdateOptions,
): { readonly parameters: readonly StepParameter[]; readonly scalars: readonly StepScalar[] } {
  const { optimizer, emaDecay } = options;
  const scalars: StepScalar[] = [];
  const scalar = (hint: string, at: StepScalar['at']): string => {
    const input = emit.input(hint, 'float32', []);
    scalars.push({ input, at });
    return input;
  };
  const own = Object.entries(optimizer.scalars ?? {}).map(([key, at]) => [key, scalar(key, at)] as const);
  const optimizerScalars = Object.fromEntries(own);
  const averageRate = emaDecay === undefined ? undefined : scalar('average_rate', (step) => rateOf(emaDecay, step));

  // What a frozen mask holds back must count neither in the norm nor in the state of the optimiser.
  const gradients = movables.map(({ name, gradient, mask }) => {
    const own = mask !== undefined && options.masking !== 'dense' ? emit.node('Mul', [gradient, mask]) : gradient;
    return options.clipShare === undefined ? own : emitShareClip(emit, name, own, options.clipShare);
  });
  const clip = options.clipNorm === undefined ? undefined : emitClipFactor(emit, gradients, options.clipNorm);
  const rates = new Map<number, string>([[1, options.learningRate]]);
  const rateFor = (name: string): string => {
    const factor = options.rateFactors?.get(name) ?? 1;
    if (!rates.has(factor)) rates.set(factor, emit.node('Mul', [options.learningRate, floats(emit, [factor])]));
    return rates.get(factor)!;
  };
  const parameters = movables.map(({ name, gradient: raw, mask }, index): StepParameter => {
    const dims = emit.typeOf(name).shape as readonly number[];
    const state = (kind: string) => emit.input(`${name}.${kind}`, 'float32', dims);
    const gradient = clip === undefined ? gradients[index] : emit.node('Mul', [gradients[index], clip]);
    const slots = optimizer.slots.map(state);
    const learningRate = rateFor(name);
    const updated = optimizer.update(emit, { value: name, gradient, slots, learningRate, scalars: optimizerScalars });
    const carry = (kind: string, renew: (before: string) => string): Carried => {
      const input = state(kind);
      return { input, output: renew(input), dims };
    };
    const towards = (before: string) => emit.node('Mul', [emit.node('Sub', [updated.value, before]), averageRate!]);
    const moved = () => emit.node('Mul', [name, raw]);
    return {
      name,
      input: name,
      output: updated.value,
      dims,
      slots: slots.map((input, slot) => ({ input, output: updated.slots[slot], dims })),
      ...(mask !== undefined && { mask }),
      ...(mask !== undefined &&
        options.movement && { score: carry('score', (before) => emit.node('Sub', [before, moved()])) }),
      ...(averageRate !== undefined && {
        average: carry('average', (before) => emit.node('Add', [before, towards(before)])),
      }),
    };
  });
  return { parameters, scalars };
}

/** `limit / max(norm of all gradients together, limit)`: 1 as long as the norm is small enough (Pascanu et al. 2013). */
function emitClipFactor(emit: GraphEmitter, gradients: readonly string[], limit: number): string {
  const squares = gradients.map((gradient) => emit.node('ReduceSumSquare', [gradient], { keepdims: 0 }));
  const norm = emit.node('Sqrt', [squares.length === 1 ? squares[0] : emit.node('Sum', squares)]);
  const bound = emit.constant(tensorFrom('float32', [], [limit]));
  return emit.node('Div', [bound, emit.node('Max', [norm, bound])]);
}

/** Root mean square of a parameter that clipping by share takes it for at least: biases and new layers begin at zero. */
const LEAST_SIZE = { matrix: 1e-3, vector: 0.1 } as const;

/**
 * The gradient, scaled down where its norm is above `share` of that of the parameter: adaptive gradient clipping (Brock et al.
 * 2021, equation 3, with one norm per tensor). The bound follows the parameter, so it means the same whatever the scale of inputs.
 */
function emitShareClip(emit: GraphEmitter, parameter: string, gradient: string, share: number): string {
  const dims = emit.typeOf(parameter).shape as readonly number[];
  const scalar = (value: number) => emit.constant(tensorFrom('float32', [], [value]));
  const normOf = (value: string) => emit.node('Sqrt', [emit.node('ReduceSumSquare', [value], { keepdims: 0 })]);
  const least = (dims.length >= 2 ? LEAST_SIZE.matrix : LEAST_SIZE.vector) * Math.sqrt(elementCount(dims));
  const bound = emit.node('Mul', [emit.node('Max', [normOf(parameter), scalar(least)]), scalar(share)]);
  const factor = emit.node('Div', [bound, emit.node('Max', [normOf(gradient), bound])]);
  return emit.node('Mul', [gradient, factor]);
}

/** How far an average moves in step `step`; early steps move it further, so that the start is soon forgotten. */
function rateOf(decay: number, step: number): number {
  return 1 - Math.min(decay, step / (9 + step));
}
