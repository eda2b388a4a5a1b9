import type { Graph } from '../../ir/graph';
import { batchExtents } from '../../ir/sample-axes';
import { hasStatistics } from '../../ops/facts';
import { separateBatchNorm } from '../../train/batch-norm';
import { reestimateBatchNorm } from '../../train/reestimate-batch-norm';
import {
  holdOutForRepairs,
  keepIfBetter,
  outputJudge,
  type TensorRepair,
  tensorRepair,
  tooFewToRepair,
} from '../keep-if-better';
import type { MethodContext } from '../method';
import { first } from '../prune/measure-scores';
import type { SqnrDb } from '../quantize/measure-quality';
import { refitWeights } from './refit-weights';
import type { KeptIndices } from './remove-units';
import type { StructuredOptions } from './structured-options';

/** One kind of repair, and what held-out samples said to it. */
export interface RepairReport {
  readonly what: 'weights' | 'statistics';
  /** Layers with such a repair, and those that kept it. */
  readonly tried: number;
  readonly kept: readonly string[];
  /** SQNR of the outputs against the network before channels went, without any and with the kept ones. */
  readonly sqnrDb: { readonly before: SqnrDb; readonly after: SqnrDb };
}

/** PruneRepairs of a network that loses channels; they remember what became of them. */
export interface PruneRepairs {
  /** `pruned` with weights fitted anew where that brings outputs nearer to the original's; it was cut out of `before`. */
  refit(cut: {
    readonly original: Graph;
    readonly before: Graph;
    readonly pruned: Graph;
    readonly kept: KeptIndices;
  }): Promise<Graph>;
  /** `graph` with statistics of batch norm re-estimated where that brings outputs nearer to the original's. */
  renewStatistics(original: Graph, graph: Graph): Promise<Graph>;
  readonly reports: readonly RepairReport[];
  /** Why no repair was tried; undefined when some were, when none was asked for, or there was nothing to repair. */
  off(): string | undefined;
}

/** Batches that statistics of batch norm are re-estimated on. */
const STATISTIC_BATCHES = 16;

/**
 * The repairs that the options ask for, judged by the outputs on held-out calibration samples (see `keepIfBetter`).
 * @throws E_DATA_MISMATCH when the calibration samples do not fit
 */
export function openPruneRepairs(graph: Graph, options: StructuredOptions, context: MethodContext): PruneRepairs {
  const calibration = first(context.data.calibration, options.samples);
  const parts = options.reconstruct ? holdOutForRepairs(graph, calibration) : undefined;
  const reports: RepairReport[] = [];
  let off: string | undefined;
  const turnOff = (reason: string) => {
    if (options.reconstruct) off = reason;
  };
  const keep = async (
    what: RepairReport['what'],
    original: Graph,
    graph: Graph,
    repairs: readonly TensorRepair[],
  ): Promise<Graph> => {
    if (repairs.length === 0) return graph;
    const varied = repairs.flatMap(({ tensors }) => [...tensors.keys()]);
    const judge = outputJudge(original, parts!.heldOut, context, varied);
    if (!judge) {
      turnOff('the network has no float32 output to tell by whether it helps');
      return graph;
    }
    const { state, kept, sqnrDb } = await keepIfBetter(graph, repairs, judge);
    reports.push({ what, tried: repairs.length, kept, sqnrDb });
    return state;
  };
  return {
    reports,
    off: () => off,
    async refit({ original, before, pruned, kept }) {
      if (parts)
        return keep('weights', original, pruned, await refitWeights(before, pruned, kept, parts.fitted, context));
      turnOff(tooFewToRepair(calibration));
      return pruned;
    },
    async renewStatistics(original, given) {
      const graph = separateBatchNorm(given);
      const free = [...batchExtents(graph).values()].every((extent) => typeof extent === 'string');
      const nodes = graph.nodes.filter((node) => hasStatistics(node) && graph.initializers.has(node.inputs[3]));
      if (!parts || !free || nodes.length === 0) return given;
      const batchSize = Math.min(options.training.batchSize, parts.fitted.count);
      const batches = Math.min(STATISTIC_BATCHES, Math.floor(parts.fitted.count / batchSize));
      const { seed, evaluate } = context;
      const renewed = await reestimateBatchNorm(graph, parts.fitted, { batchSize, batches, seed }, evaluate);
      const repairs = nodes.map(({ name, inputs }) =>
        tensorRepair(
          name,
          new Map(
            inputs.slice(3).map((input) => [input, renewed.initializers.get(input) ?? graph.initializers.get(input)!]),
          ),
        ),
      );
      return keep('statistics', original, graph, repairs);
    },
  };
}
