import type { GraphEmitter } from './emitter';

/** Adds a scalar loss for a batch to a graph and returns its name; `outputs` are the model's outputs. */
export type LossBuilder = (emit: GraphEmitter, outputs: readonly string[]) => string;

/** Name of the input with one class index (int32) per sample. */
export const LABELS = 'labels';

/** Cross-entropy of the first output, logits `[N, C]`, with the classes of the input `labels`; mean over the batch. */
export function crossEntropy(): LossBuilder {
  return (emit, [logits]) => {
    const [batch] = emit.typeOf(logits).shape as readonly number[];
    const labels = emit.input(LABELS, 'int32', [batch]);
    return emit.node('SoftmaxCrossEntropyLoss', [logits, labels], { reduction: 'mean' });
  };
}
