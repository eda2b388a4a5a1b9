import type { Graph } from '../../ir/graph';
import { trainableParameters } from '../../train/trainable';
import type { LayerDecision, Method, MethodContext } from '../method';
import { requireFloatGraph } from '../quantize/plan';
import { type RecoveryOptions, recover, recoveryOptions } from '../recover';

/** Trains the network on, with labels and the float model as its teacher (see `recover`). */
export const finetune: Method<RecoveryOptions> = {
  name: 'finetune',
  summary: 'train on to win back accuracy, with labels and the float model as teacher',
  options: recoveryOptions,
  apply: async (graph, options, context) => {
    requireFloatGraph(graph);
    const trained = await trainExcept(graph, options, context, 'finetune');
    const { epochs, labels, distillation } = options;
    const labelled = labels === 'use' && context.data.training?.hasLabels === true;
    const sources = [
      ...(labelled ? ['labels'] : []),
      ...(distillation.mode === 'off' ? [] : [`a teacher (${distillation.mode})`]),
    ];
    const kept = trained === graph;
    const treatment = kept ? 'left as it was' : trainedFor(epochs);
    const reason = kept ? `${trainedFor(epochs)}, it never scored higher` : `learns from ${sources.join(' and ')}`;
    return { graph: trained, decisions: decisionsFor(graph, context, treatment, reason), report: { epochs, kept } };
  },
};

/** Length of a training in words. */
export function trainedFor(epochs: number): string {
  return `trained for ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
}

/**
 * `recover`, with the parameters of nodes in `context.keep` left as they are; `startCounts`: whether `graph` is a model worth keeping
 * when training fails.
 */
export function trainExcept(
  graph: Graph,
  options: RecoveryOptions,
  context: MethodContext,
  key: string,
  startCounts = true,
): Promise<Graph> {
  const kept = new Set(graph.nodes.filter(({ name }) => context.keep.has(name)).flatMap(({ inputs }) => inputs));
  if (kept.size === 0) return recover(graph, options, context, key, {}, startCounts);
  const trainable = trainableParameters(graph).filter((name) => !kept.has(name));
  return recover(graph, options, context, key, { trainable }, startCounts);
}

/** One decision per node with parameters. */
export function decisionsFor(
  graph: Graph,
  { keep }: MethodContext,
  treatment: string,
  reason: string,
): LayerDecision[] {
  const trainable = new Set(trainableParameters(graph));
  return graph.nodes
    .filter(({ inputs }) => inputs.some((name) => trainable.has(name)))
    .map(({ name }) =>
      keep.has(name)
        ? { layer: name, treatment: 'left alone', reason: 'it must stay as it is' }
        : { layer: name, treatment, reason },
    );
}
