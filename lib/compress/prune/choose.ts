import type { Graph } from '../../ir/graph';
import { inputAxis } from '../../ops/facts';
import { productLayer } from '../layer-inputs';
import type { Scores } from './measure-scores';
import { blockOf, type PruneOptions, scopeOf } from './prune-options';
import { type MaskChoice, selectBlocks, selectGlobal, selectLocal, selectRows, selectThreshold } from './select-masks';
import type { PruneTarget } from './targets';
import { rowOf } from './weight-criteria';

/** Elements that may not come back, by target: 0 for those. */
export type Alive = ReadonlyMap<PruneTarget, ArrayLike<number>>;

/**
 * Chooses what every target keeps, by the scope and pattern of the options. `sparsityOf` is the share of zeros of a target that
 * has one of its own, and of all others together for `undefined`.
 */
export function chooseMasks(
  graph: Graph,
  scores: Scores,
  alive: Alive,
  options: PruneOptions,
  sparsityOf: (own: number | undefined) => number,
): Map<PruneTarget, MaskChoice> {
  const block = blockOf(options.pattern);
  const scope = scopeOf(options);
  const chosen = new Map<PruneTarget, MaskChoice>();
  const pool: PruneTarget[] = [];
  for (const [target, values] of scores) {
    const competitor = { scores: values, alive: alive.get(target) };
    const sparsity = sparsityOf(target.sparsity);
    if (block) {
      // An N:M pattern has no share of zeros: it is there, or not yet.
      if (sparsity > 0) chosen.set(target, selectBlocks(competitor, channelLines(target), block));
      else chosen.set(target, selectThreshold(competitor, Number.NEGATIVE_INFINITY));
    } else if (scope === 'threshold')
      chosen.set(target, selectThreshold(competitor, options.threshold!, options.minKeep));
    else if (rowOf(options.criterion).competes === 'unit')
      chosen.set(target, selectRows(competitor, unitRows(graph, target), sparsity));
    else if (scope === 'local' || target.sparsity !== undefined) chosen.set(target, selectLocal(competitor, sparsity));
    else pool.push(target);
  }
  const competitors = pool.map((target) => ({ scores: scores.get(target)!, alive: alive.get(target) }));
  const together = selectGlobal(competitors, sparsityOf(undefined), options.minKeep);
  pool.forEach((target, index) => {
    chosen.set(target, together[index]);
  });
  for (const [target, values] of scores)
    if (target.spared)
      chosen.set(target, selectThreshold({ scores: values, alive: alive.get(target) }, Number.NEGATIVE_INFINITY));
  return chosen;
}

/** Lines of neighbours along the input channels of the first reader: one per output and kernel tap. */
export function* channelLines({ dims, uses }: PruneTarget): Generator<number[]> {
  const { axis, extent } = inputAxis(uses[0], dims);
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const count = dims.reduce((product, dim) => product * dim, 1);
  for (let outer = 0; outer < count; outer += extent * inner)
    for (let at = 0; at < inner; at++) yield Array.from({ length: extent }, (_, k) => outer + k * inner + at);
}

/** The weights of every output unit of a layer. */
function* unitRows(graph: Graph, { uses }: PruneTarget): Generator<number[]> {
  const layer = productLayer(graph, uses[0].node, uses[0].index);
  if (typeof layer === 'string') return;
  const { positions, columns } = layer;
  for (let start = 0; start < positions.length; start += columns)
    yield Array.from(positions.subarray(start, start + columns));
}
