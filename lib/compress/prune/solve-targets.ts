import type { Graph } from '../../ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import { inputAxis } from '../../ops/facts';
import { type ProductLayer, productLayer } from '../layer-inputs';
import type { MethodContext } from '../method';
import { SecondMoment, sumOfUses, sumsOfAll } from '../second-moment';
import { channelLines } from './choose';
import { first, type ObservedReader, observeLayers } from './measure-scores';
import { blockOf, type PruneOptions } from './prune-options';
import { selectBlocks } from './select-masks';
import { pruneShared } from './shared-weight';
import { type SparseProblem, sparseGpt } from './sparsegpt';
import type { PruneTarget } from './targets';

/** Columns beyond which a second moment is too large to hold (0.5 GB) and to factorize. */
const COLUMN_LIMIT = 8192;
/** Elements of all second moments that are held at a time (256 MB); the layers beyond wait for another pass. */
const MOMENT_BUDGET = 2 ** 25;
/** Rows that a moment is made of, in columns: more tell nothing new, and patches of convolutions are many. */
const ROWS_PER_COLUMN = 16;

/** Why SparseGPT cannot treat a target; undefined when it can. */
export function unsolvable(graph: Graph, target: PruneTarget): string | undefined {
  for (const layer of layersOf(graph, target)) {
    if (typeof layer === 'string') return layer;
    if (layer.columns > COLUMN_LIMIT)
      return `the second moment of its ${layer.columns} inputs would not fit into memory (limit ${COLUMN_LIMIT})`;
  }
  return undefined;
}

/** What SparseGPT made of the targets. */
export interface Solved {
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Relative error of each layer's output on the calibration samples. */
  readonly errors: ReadonlyMap<PruneTarget, number>;
}

/**
 * SparseGPT on every target, with inputs from calibration samples: in passes over as many layers as fit into memory, in graph
 * order, each of which sees the layers of earlier passes pruned.
 * @throws E_CALIBRATION, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function solveTargets(
  graph: Graph,
  targets: readonly PruneTarget[],
  options: PruneOptions,
  sparsityOf: (own: number | undefined) => number,
  context: MethodContext,
): Promise<Solved> {
  const samples = first(context.data.calibration, options.samples);
  const weights = new Map<string, Tensor>();
  const errors = new Map<PruneTarget, number>();
  let current = graph;
  for (const batch of inPasses(
    graph,
    targets.filter(({ spared }) => !spared),
  )) {
    const observed = await observeLayers(current, batch, samples, context, (layer) => [
      new SecondMoment(layer, {
        rowsPerSample: Math.ceil((ROWS_PER_COLUMN * layer.columns) / samples.count),
        seed: context.seed,
      }),
    ]);
    for (const target of batch) {
      const { tensor, error } = solve(current, target, observed.get(target)!, options, sparsityOf(target.sparsity));
      weights.set(target.weight, tensor);
      errors.set(target, error);
    }
    current = { ...graph, initializers: new Map([...graph.initializers, ...weights]) };
  }
  return { weights, errors };
}

/** One target for all layers that read it: with the sum of their second moments where they read it alike. */
function solve(
  graph: Graph,
  target: PruneTarget,
  uses: readonly ObservedReader<SecondMoment>[],
  options: PruneOptions,
  sparsity: number,
): { tensor: Tensor; error: number } {
  const [{ layer }] = uses;
  const weights = graph.initializers.get(target.weight)!;
  const alike = uses.every((use) => use.layer.positions.every((position, at) => position === layer.positions[at]));
  if (!alike) return solveTogether(target, viewAs(weights, 'float32'), uses, options, sparsity);
  const moment = sumOfUses(uses.map(({ statistics }) => statistics[0]));
  const { groups, units, columns } = layer;
  const before = layer.matrix(weights);
  const after = new Float32Array(before.length);
  const goal = goalOf(target, layer, options, sparsity);
  let [lost, whole] = [0, 0];
  for (let group = 0; group < groups; group++) {
    const [from, to] = [group * units * columns, (group + 1) * units * columns];
    const part = moment.subarray(group * columns ** 2, (group + 1) * columns ** 2);
    const own = before.subarray(from, to);
    const solution = sparseGpt({ weights: own, units, columns, moment: part, alive: own, goal });
    after.set(solution.weights, from);
    lost += solution.change.lost;
    whole += solution.change.whole;
  }
  return { tensor: layer.tensor(after), error: whole > 0 ? lost / whole : 0 };
}

/** A target that is read in several orientations. */
function solveTogether(
  target: PruneTarget,
  weights: Float32Array,
  uses: readonly ObservedReader<SecondMoment>[],
  { pattern }: PruneOptions,
  sparsity: number,
): { tensor: Tensor; error: number } {
  const block = blockOf(pattern);
  const readers = uses.map(({ layer, statistics }) => ({ layer, moment: sumsOfAll(statistics[0]) }));
  const choose = (scores: Float64Array) => selectBlocks({ scores, alive: weights }, channelLines(target), block!).mask;
  const { weights: after, change } = pruneShared({ weights, readers, goal: block ? { choose } : { sparsity } });
  const { lost, whole } = change;
  return { tensor: tensorOf('float32', target.dims, after), error: whole > 0 ? lost / whole : 0 };
}

function goalOf(
  { dims, uses }: PruneTarget,
  { columns }: ProductLayer,
  { pattern }: PruneOptions,
  sparsity: number,
): SparseProblem['goal'] {
  const block = blockOf(pattern);
  if (!block) return { sparsity };
  const { extent } = inputAxis(uses[0], dims);
  const taps = columns / extent;
  const lines = Array.from({ length: taps }, (_, tap) => Array.from({ length: extent }, (_, k) => k * taps + tap));
  return { ...block, lines };
}

function inPasses(graph: Graph, targets: readonly PruneTarget[]): PruneTarget[][] {
  const passes: PruneTarget[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const target of targets) {
    const layers = layersOf(graph, target) as ProductLayer[];
    const size = layers.reduce((sum, { groups, columns }) => sum + groups * columns ** 2, 0);
    if (held + size > MOMENT_BUDGET) {
      passes.push([]);
      held = 0;
    }
    passes.at(-1)!.push(target);
    held += size;
  }
  return passes;
}

/** A target as each of its readers sees it. */
function layersOf(graph: Graph, { uses }: PruneTarget): (ProductLayer | string)[] {
  return uses.map(({ node, index }) => productLayer(graph, node, index));
}
