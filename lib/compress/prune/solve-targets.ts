import type { Graph } from '../../ir/graph';
import type { Tensor } from '../../ir/tensor';
import { type ProductLayer, productLayer } from '../layer-inputs';
import type { MethodContext } from '../method';
import { SecondMoment } from '../second-moment';
import { blockOf, type PruneOptions } from './options';
import { first, observeLayers, sumOf } from './scores';
import { type SparseProblem, sparseGpt } from './sparsegpt';
import { inputAxis, type Target } from './targets';

/** Columns beyond which a second moment is too large to hold (0.5 GB) and to factorize. */
const COLUMN_LIMIT = 8192;
/** Elements of all second moments that are held at a time (256 MB); the layers beyond wait for another pass. */
const MOMENT_BUDGET = 2 ** 25;
/** Rows that a moment is made of, in columns: more tell nothing new, and patches of convolutions are many. */
const ROWS_PER_COLUMN = 16;

/** Why SparseGPT cannot treat a target; undefined when it can. */
export function unsolvable(graph: Graph, target: Target): string | undefined {
  const layer = layerOf(graph, target);
  if (typeof layer === 'string') return layer;
  if (layer.columns <= COLUMN_LIMIT) return undefined;
  return `the second moment of its ${layer.columns} inputs would not fit into memory (limit ${COLUMN_LIMIT})`;
}

/** What SparseGPT made of the targets. */
export interface Solved {
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Relative error of each layer's output on the calibration samples. */
  readonly errors: ReadonlyMap<Target, number>;
}

/**
 * SparseGPT on every target, with inputs from calibration samples: in passes over as many layers as fit into memory, in graph
 * order, each of which sees the layers of earlier passes pruned.
 * @throws E_CALIBRATION, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function solveTargets(
  graph: Graph,
  targets: readonly Target[],
  options: PruneOptions,
  sparsityOf: (own: number | undefined) => number,
  context: MethodContext,
): Promise<Solved> {
  const samples = first(context.data.calibration, options.samples);
  const weights = new Map<string, Tensor>();
  const errors = new Map<Target, number>();
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
      const uses = observed.get(target)!;
      const moment = sumOf(uses.map(({ statistics }) => statistics[0].sums));
      const { tensor, error } = solve(current, target, uses[0].layer, moment, options, sparsityOf(target.sparsity));
      weights.set(target.weight, tensor);
      errors.set(target, error);
    }
    current = { ...graph, initializers: new Map([...graph.initializers, ...weights]) };
  }
  return { weights, errors };
}

/** One target, group by group. */
function solve(
  graph: Graph,
  target: Target,
  layer: ProductLayer,
  moment: Float64Array,
  options: PruneOptions,
  sparsity: number,
): { tensor: Tensor; error: number } {
  const { groups, units, columns } = layer;
  const before = layer.matrix(graph.initializers.get(target.weight)!);
  const after = new Float32Array(before.length);
  const goal = goalOf(target, layer, options, sparsity);
  let [lost, whole] = [0, 0];
  for (let group = 0; group < groups; group++) {
    const [from, to] = [group * units * columns, (group + 1) * units * columns];
    const part = moment.subarray(group * columns ** 2, (group + 1) * columns ** 2);
    const weights = before.subarray(from, to);
    const solution = sparseGpt({ weights, units, columns, moment: part, alive: weights, goal });
    after.set(solution.weights, from);
    lost += solution.change.lost;
    whole += solution.change.whole;
  }
  return { tensor: layer.tensor(after), error: whole > 0 ? lost / whole : 0 };
}

function goalOf(
  { dims, uses }: Target,
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

function inPasses(graph: Graph, targets: readonly Target[]): Target[][] {
  const passes: Target[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const target of targets) {
    const { groups, columns } = layerOf(graph, target) as ProductLayer;
    const size = groups * columns ** 2 * target.uses.length;
    if (held + size > MOMENT_BUDGET) {
      passes.push([]);
      held = 0;
    }
    passes.at(-1)!.push(target);
    held += size;
  }
  return passes;
}

/** A target as its first reader sees it. */
function layerOf(graph: Graph, { uses }: Target): ProductLayer | string {
  return productLayer(graph, uses[0].node, uses[0].index);
}
