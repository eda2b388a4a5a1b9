import { formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import type { LayerDecision, Method, MethodContext, MethodResult, Milder } from '../method';
import { requireFloatGraph } from '../quantize/plan';
import { recover } from '../recover';
import { chooseMasks } from './choose';
import { decideLayers, emptiedLayers } from './decide';
import { unmeasurable } from './measure-scores';
import { followsTraining, kindOf, type PruneOptions, pruneOptions } from './prune-options';
import { pruneWhileTraining } from './prune-while-training';
import { iterativeSparsity, type ResolvedSchedule, ROUNDS, resolveSchedule } from './schedule';
import { zerosIn } from './select-masks';
import { solveTargets, unsolvable } from './solve-targets';
import { findTargets, type PruneTarget, type Untouched } from './targets';
import { rowOf } from './weight-criteria';

/** Numbers of a pruning, for reports. */
export interface PruneReport {
  readonly criterion: PruneOptions['criterion'];
  /** Weights of the layers that were pruned, and how many of them are zero now. */
  readonly weights: number;
  readonly zeros: number;
  /** Share of zeros among them. */
  readonly sparsity: number;
  readonly layers: readonly {
    readonly weight: string;
    readonly weights: number;
    readonly zeros: number;
    readonly damage: number;
  }[];
  /** Steps at which weights went, when that was within training. */
  readonly schedule?: ResolvedSchedule;
}

/**
 * Unstructured pruning: makes single weights zero, by one of the rows of `criteria.ts`, at once or while training. The graph keeps its form;
 * zeros make it smaller where weights are coded or stored sparse, not faster.
 * @throws E_OPTION_VALUE for options that mean no layer or exclude each other, E_GRAPH_INVALID when nothing can be pruned or the
 * graph is quantized, E_DATA_MISMATCH when labels or training samples are absent that the criterion needs, what training and
 * passes over samples throw
 */
export const prune: Method<PruneOptions> = {
  name: 'prune',
  summary: 'makes single weights zero: by size, by gradients, or so that the layers keep their outputs',
  options: pruneOptions,
  apply,
  milder,
};

/** Options that make a share of as many zeros; a threshold or a pattern leaves no choice. */
function milder(options: PruneOptions, share: number): Milder<PruneOptions> | undefined {
  const { scope, pattern, sparsity, sparsities, schedule } = options;
  if (scope === 'threshold' || pattern !== 'unstructured') return undefined;
  const less = (zeros: number) => Number((zeros * share).toPrecision(4));
  const { initial_sparsity: first, final_sparsity: last } = schedule;
  return {
    options: {
      ...options,
      sparsity: less(sparsity),
      sparsities: Object.fromEntries(Object.entries(sparsities).map(([glob, own]) => [glob, less(own)])),
      schedule: {
        ...schedule,
        initial_sparsity: less(first),
        ...(last !== undefined && { final_sparsity: less(last) }),
      },
    },
    words: `sparsity ${less(last ?? sparsity)} instead of ${last ?? sparsity}`,
  };
}

async function apply(graph: Graph, options: PruneOptions, context: MethodContext): Promise<MethodResult> {
  requireFloatGraph(graph);
  const found = findTargets(graph, options, context.keep, context.rolledBack);
  const { targets, untouched } = separate(graph, found, options);
  const kind = kindOf(options);
  const within = kind !== 'one-shot' && options.training.epochs > 0 && followsTraining(options.criterion);
  const treated = within
    ? await scheduled(graph, targets, kind, options, context)
    : await atOnce(graph, targets, kind === 'iterative' ? ROUNDS : 1, options, context);
  const layers = targets.map((target) => {
    const tensor = treated.graph.initializers.get(target.weight)!;
    const zeros = zerosIn(viewAs(tensor, 'float32'));
    return { target, zeros, damage: treated.damage.get(target) ?? 0 };
  });
  const [weights, zeros] = [sum(layers.map(({ target }) => target.count)), sum(layers.map((layer) => layer.zeros))];
  const report: PruneReport = {
    criterion: options.criterion,
    weights,
    zeros,
    sparsity: zeros / weights,
    layers: layers.map((layer) => ({
      weight: layer.target.weight,
      weights: layer.target.count,
      zeros: layer.zeros,
      damage: layer.damage,
    })),
    ...(treated.schedule && { schedule: treated.schedule }),
  };
  const decisions: readonly LayerDecision[] = decideLayers(graph, layers, untouched, options);
  const zerosBefore = ({ weight }: PruneTarget) => zerosIn(viewAs(graph.initializers.get(weight)!, 'float32'));
  return { graph: treated.graph, decisions, report, diagnostics: emptiedLayers(layers, zerosBefore) };
}

/** A graph with pruned weights, before and after training. */
interface Pruned {
  readonly graph: Graph;
  /** Per target: share of what its worth is measured in that went; of the layer's output for sparsegpt. */
  readonly damage: ReadonlyMap<PruneTarget, number>;
  readonly schedule?: ResolvedSchedule;
}

/** Targets that the criterion can tell anything about; the others stay as they are. */
function separate(
  graph: Graph,
  { targets, untouched }: ReturnType<typeof findTargets>,
  { criterion }: PruneOptions,
): { targets: readonly PruneTarget[]; untouched: readonly Untouched[] } {
  const { needs, measure } = rowOf(criterion);
  if (needs !== 'inputs') return { targets, untouched };
  const reasonOf = (target: PruneTarget) =>
    unmeasurable(graph, target) ?? (measure === 'by solving' ? unsolvable(graph, target) : undefined);
  const open = targets.filter((target) => reasonOf(target) === undefined);
  const left = targets.flatMap((target) => {
    const reason = reasonOf(target);
    return reason === undefined ? [] : target.uses.map(({ node }) => ({ node, reason }));
  });
  if (open.length === 0)
    throw invalid('nothing-to-prune', `${criterion} can treat no layer (${left[0].node.name}: ${left[0].reason})`);
  return { targets: open, untouched: [...untouched, ...left] };
}

/** Prunes in the course of training. */
async function scheduled(
  graph: Graph,
  targets: readonly PruneTarget[],
  kind: ResolvedSchedule['kind'],
  options: PruneOptions,
  context: MethodContext,
): Promise<Pruned> {
  const { training } = context.data;
  if (!training)
    throw new HoneError('E_DATA_MISMATCH', {
      expected: `training samples for a ${kind} schedule of the criterion ${options.criterion}`,
      found: 'none',
    });
  const steps = Math.floor(training.count / options.training.batchSize) * options.training.epochs;
  const schedule = resolveSchedule(options.schedule, kind, options.sparsity, steps);
  const result = await pruneWhileTraining(graph, targets, schedule, options, context);
  const damage = new Map(
    targets.map((target) => {
      const kept = viewAs(result.initializers.get(target.weight)!, 'float32');
      const scores = viewAs(graph.initializers.get(target.weight)!, 'float32').map((weight) => weight ** 2);
      return [target, removedShare(scores, kept)];
    }),
  );
  return { graph: result, damage, schedule };
}

/** Prunes in one round or several, then trains. */
async function atOnce(
  graph: Graph,
  targets: readonly PruneTarget[],
  rounds: number,
  options: PruneOptions,
  context: MethodContext,
): Promise<Pruned> {
  const { schedule } = options;
  const { measure, damage: measured } = rowOf(options.criterion);
  const damage = new Map<PruneTarget, number>();
  let current = graph;
  for (let round = 1; round <= rounds; round++) {
    const final = schedule.final_sparsity ?? options.sparsity;
    const sparsityOf = (own = final) => iterativeSparsity(Math.min(schedule.initial_sparsity, own), own, round, rounds);
    if (measure === 'by solving') {
      const { weights, errors } = await solveTargets(current, targets, options, sparsityOf, context);
      current = withWeights(current, weights);
      for (const [target, error] of errors) damage.set(target, Math.max(error, damage.get(target) ?? 0));
      continue;
    }
    const scores = await measure!({ graph: current, targets, samples: options.samples, context });
    const alive = new Map(
      targets.map(({ weight }, index) => [targets[index], viewAs(current.initializers.get(weight)!, 'float32')]),
    );
    const choices = chooseMasks(current, scores, alive, options, sparsityOf);
    for (const [target, { mask }] of choices) {
      const before = damage.get(target) ?? 0;
      const worth =
        measured === 'squared-weight'
          ? viewAs(current.initializers.get(target.weight)!, 'float32')
          : scores.get(target)!;
      const share = removedShare(measured === 'worth' ? worth : Float64Array.from(worth, (value) => value ** 2), mask);
      damage.set(target, 1 - (1 - before) * (1 - share));
    }
    current = withWeights(
      current,
      new Map([...choices].map(([target, { mask }]) => [target.weight, masked(current, target, mask)])),
    );
  }
  return { graph: await recover(current, options.training, context, 'prune'), damage };
}

function withWeights(graph: Graph, weights: ReadonlyMap<string, Tensor>): Graph {
  return { ...graph, initializers: new Map([...graph.initializers, ...weights]) };
}

function masked(graph: Graph, { weight, dims }: PruneTarget, mask: Float32Array): Tensor {
  // Not a product: that of a negative weight would be -0.
  const weights = viewAs(graph.initializers.get(weight)!, 'float32').map((value, index) =>
    mask[index] === 0 ? 0 : value,
  );
  return tensorOf('float32', dims, weights);
}

/** Part of the sum of `worth` that stands where `kept` is zero. */
function removedShare(worth: ArrayLike<number>, kept: ArrayLike<number>): number {
  let [removed, whole] = [0, 0];
  for (let index = 0; index < worth.length; index++) {
    whole += worth[index];
    if (kept[index] === 0) removed += worth[index];
  }
  return whole > 0 ? removed / whole : 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function invalid(kind: string, message: string): HoneError {
  return new HoneError('E_GRAPH_INVALID', {
    diagnostics: formatDiagnostics([{ severity: 'error', kind, where: 'graph', message }]),
  });
}
