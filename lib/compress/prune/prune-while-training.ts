import type { Graph } from '../../ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import type { MaskMoment } from '../../train/train-options';
import type { MethodContext } from '../method';
import { recover } from '../recover';
import { chooseMasks } from './choose';
import type { Scores } from './measure-scores';
import type { PruneOptions } from './prune-options';
import { type ResolvedSchedule, sparsityAt } from './schedule';
import { splice } from './select-masks';
import type { PruneTarget } from './targets';
import { rowOf } from './weight-criteria';
import { zeroMasks } from './zero-masks';

/**
 * The graph after training in whose course its weights go by the schedule. Movement and splicing keep the values behind the
 * masks, which may bring weights back until the last pruning; otherwise what is gone stays gone. Weights that are zero on entry
 * always stay zero.
 * @throws what `recover` throws
 */
export async function pruneWhileTraining(
  graph: Graph,
  targets: readonly PruneTarget[],
  schedule: ResolvedSchedule,
  options: PruneOptions,
  context: MethodContext,
): Promise<Graph> {
  const entry = new Map([...ones(graph, targets), ...zeroMasks(graph)]);
  const returning = options.splicing || rowOf(options.criterion).needs === 'training';
  const masks = (at: MaskMoment): ReadonlyMap<string, Tensor> => {
    if (!isPruning(schedule, at.step)) return at.masks;
    const before = new Map(targets.map((target) => [target, viewAs(at.masks.get(target.weight)!, 'float32')]));
    const barred = new Map(targets.map((target) => [target, viewAs(entry.get(target.weight)!, 'float32')]));
    const scores = scoresAt(at, targets, options, context.seed);
    const sparsityOf = (own: number | undefined) =>
      sparsityAt(own === undefined ? schedule : scaled(schedule, own), at.step);
    const chosen = chooseMasks(graph, scores, returning ? barred : before, options, sparsityOf);
    const next = new Map(at.masks);
    for (const [target, choice] of chosen) {
      const hesitates = options.splicing && at.step < schedule.endStep;
      const { mask } = hesitates ? splice(choice, scores.get(target)!, before.get(target)!) : choice;
      next.set(target.weight, tensorOf('float32', target.dims, mask));
    }
    return next;
  };
  return recover(graph, options.training, context, 'prune', {
    masking: {
      mode: returning ? 'dense' : 'frozen',
      masks: entry,
      update: { everySteps: schedule.frequency, masks },
      ...(rowOf(options.criterion).needs === 'training' && { movement: true }),
    },
  });
}

function isPruning({ kind, beginStep, endStep, frequency }: ResolvedSchedule, step: number): boolean {
  return kind !== 'one-shot' && step >= beginStep && step <= endStep && (step - beginStep) % frequency === 0;
}

function scoresAt(at: MaskMoment, targets: readonly PruneTarget[], { criterion }: PruneOptions, seed: number): Scores {
  const { follow } = rowOf(criterion);
  return new Map(targets.map((target, index) => [target, follow!(at, target, index, seed)]));
}

/** The schedule of a layer with a share of zeros of its own. */
function scaled(schedule: ResolvedSchedule, finalSparsity: number): ResolvedSchedule {
  return { ...schedule, finalSparsity, initialSparsity: Math.min(schedule.initialSparsity, finalSparsity) };
}

function ones(graph: Graph, targets: readonly PruneTarget[]): Map<string, Tensor> {
  return new Map(
    targets.map(({ weight, dims, count }) => [
      weight,
      tensorOf('float32', graph.initializers.get(weight)?.dims ?? dims, new Float32Array(count).fill(1)),
    ]),
  );
}
