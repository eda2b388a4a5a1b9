import { HoneError } from '../core/error';
import { attribute } from '../ir/attribute';
import { elementCount } from '../ir/tensor';
import { distributionOf, hasTrait } from '../ops/facts';
import { dimsOf, floats, reshapeTo } from '../ops/gradients';
import type { GraphEmitter } from './emitter';

/** Adds a scalar loss for a batch to a graph and returns its name; `outputs` are the model's outputs. */
export type LossBuilder = (emit: GraphEmitter, outputs: readonly string[]) => string;

/** Name of the input with one class index (int32) per sample. */
export const LABELS = 'labels';

export interface CrossEntropyOptions {
  /** Share of the target that is spread evenly over all classes (Szegedy et al. 2016, section 7); 0 when left out. */
  readonly labelSmoothing?: number;
  /** What logits are divided by first; 1 when left out. */
  readonly logitScale?: number;
}

/**
 * Cross-entropy of the first output with the classes of the input `labels`; mean over the batch. The output holds logits
 * `[N, C]` or what a Softmax makes of them.
 */
export function crossEntropy({ labelSmoothing = 0, logitScale = 1 }: CrossEntropyOptions = {}): LossBuilder {
  return (emit, [output]) => {
    const logits = scaled(emit, classLogits(emit, output), 1 / logitScale);
    const [batch, classes] = dimsOf(emit, logits);
    const labels = emit.namedInput(LABELS, 'int32', [batch]);
    const hard = emit.node('SoftmaxCrossEntropyLoss', [logits, labels], { reduction: 'mean' });
    if (labelSmoothing === 0) return hard;
    const even = scaled(emit, sumAll(emit, logSoftmax(emit, logits)), -labelSmoothing / (batch * classes));
    return emit.node('Add', [scaled(emit, hard, 1 - labelSmoothing), even]);
  };
}

/** Cross-entropy of the first output with class probabilities: the batch's array `target` `[N, C]`; mean over the batch. */
export function softCrossEntropy(target: string): LossBuilder {
  return (emit, [output]) => {
    const logits = classLogits(emit, output);
    const dims = dimsOf(emit, logits);
    const products = emit.node('Mul', [emit.namedInput(target, 'float32', dims), logSoftmax(emit, logits)]);
    return scaled(emit, sumAll(emit, products), -1 / dims[0]);
  };
}

export interface KlOptions {
  /** The batch's array with the logits `[N, C]` of the distribution to come near to. */
  readonly target: string;
  /** Both sides' logits are divided by it; 1 when left out. */
  readonly temperature?: number;
  /** What the logits of either side are divided by before that; 1 when left out. */
  readonly scales?: { readonly student: number; readonly teacher: number };
}

/**
 * Kullback-Leibler divergence `KL(softmax(target / T) || softmax(logits / T)) * T^2`, mean over the batch. The factor keeps
 * the gradient's size while T changes (Hinton et al. 2015, section 2).
 */
export function klDivergence(options: KlOptions): LossBuilder {
  const { target, temperature = 1, scales = { student: 1, teacher: 1 } } = options;
  return (emit, [output]) => {
    const logits = classLogits(emit, output);
    const dims = dimsOf(emit, logits);
    const softened = (value: string, scale: number) => logSoftmax(emit, scaled(emit, value, 1 / (scale * temperature)));
    const logTarget = softened(emit.namedInput(target, 'float32', dims), scales.teacher);
    const difference = emit.node('Sub', [logTarget, softened(logits, scales.student)]);
    const products = emit.node('Mul', [emit.node('Exp', [logTarget]), difference]);
    return scaled(emit, sumAll(emit, products), temperature ** 2 / dims[0]);
  };
}

/**
 * Mean over all elements of `(value - target)^2`. `value` is an output or an inner value of the model (a hint layer; Romero et
 * al. 2015), the first output when left out; `target` is the batch's array of its shape.
 */
export function meanSquaredError({ value, target }: { readonly value?: string; readonly target: string }): LossBuilder {
  return (emit, [output]) => {
    const predicted = value ?? output;
    const dims = floatDims(emit, predicted);
    const difference = emit.node('Sub', [predicted, emit.namedInput(target, 'float32', dims)]);
    return scaled(emit, sumAll(emit, emit.node('Mul', [difference, difference])), 1 / elementCount(dims));
  };
}

/**
 * Binary cross-entropy of the first output, one logit per element (or its Sigmoid), with probabilities: the batch's array
 * `target` of the same shape. Mean over all elements.
 */
export function binaryCrossEntropy(target: string): LossBuilder {
  return (emit, [output]) => {
    const last = emit.producer(output);
    const logits = last?.op === 'Sigmoid' ? last.inputs[0] : output;
    const dims = floatDims(emit, logits);
    const products = emit.node('Mul', [logits, emit.namedInput(target, 'float32', dims)]);
    const losses = emit.node('Sub', [emit.node('Softplus', [logits]), products]);
    return scaled(emit, sumAll(emit, losses), 1 / elementCount(dims));
  };
}

/** Sum of losses with weights; a weight that is a name is a scalar input (see `TrainOptions.schedules`). */
export function weightedSum(
  parts: readonly { readonly loss: LossBuilder; readonly weight: number | string }[],
): LossBuilder {
  return (emit, outputs) => {
    const terms = parts.map(({ loss, weight }) => {
      const value = loss(emit, outputs);
      if (typeof weight === 'number') return scaled(emit, value, weight);
      return emit.node('Mul', [value, emit.namedInput(weight, 'float32', [])]);
    });
    return terms.length === 1 ? terms[0] : emit.node('Sum', terms);
  };
}

/**
 * Logits `[N, C]` behind a model's output: what its last Softmax or LogSoftmax reads, or the output itself.
 * @throws E_LOSS when the output has no such form
 */
export function classLogits(emit: GraphEmitter, output: string): string {
  let value = output;
  while (hasTrait(emit.producer(value), 'relabels')) value = emit.producer(value)!.inputs[0];
  const last = emit.producer(value);
  const softmax = distributionOf(last) ? last : undefined;
  const logits = softmax?.inputs[0] ?? output;
  const fail = (reason: string) => new HoneError('E_LOSS', { value: output, reason });
  if (last?.op === 'Sigmoid') throw fail('expected logits or a Softmax over the classes, found a Sigmoid');
  const dims = floatDims(emit, logits);
  const [batch, ...rest] = dims;
  const classes = elementCount(rest);
  if (!rest.includes(classes)) throw fail(`expected logits [N, C], found [${dims}]`);
  const axis = softmax ? attribute(softmax, 'axis', 'int', -1) : 1;
  if (softmax && dims.at(axis) !== classes)
    throw fail(`expected a Softmax over the ${classes} classes, found one over axis ${axis} of [${dims}]`);
  return reshapeTo(emit, logits, [batch, classes]);
}

function floatDims(emit: GraphEmitter, value: string): readonly number[] {
  const { type } = emit.typeOf(value);
  if (type === 'float32') return dimsOf(emit, value);
  throw new HoneError('E_LOSS', { value, reason: `expected float32 elements, found ${type}` });
}

function logSoftmax(emit: GraphEmitter, logits: string): string {
  return emit.node('LogSoftmax', [logits], { axis: 1 });
}

function sumAll(emit: GraphEmitter, value: string): string {
  return emit.node('ReduceSum', [value], { keepdims: 0 });
}

function scaled(emit: GraphEmitter, value: string, factor: number): string {
  return factor === 1 ? value : emit.node('Mul', [value, floats(emit, [factor])]);
}
