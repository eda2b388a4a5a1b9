import { formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph, Node } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { parametersOf } from '../../ops/facts';
import { matchingGlob } from '../glob';
import { requireMeaning, skipReason, suchAs } from '../skip';

/** Weights that may be pruned. */
export interface PruneTarget {
  /** Initializer. */
  readonly weight: string;
  readonly dims: readonly number[];
  readonly count: number;
  /** Nodes that read it, each with the index of the input. */
  readonly uses: readonly WeightUse[];
  /** Share of zeros that was asked for this tensor alone; undefined: it is part of the whole. */
  readonly sparsity: number | undefined;
  /** Competes with the others but keeps all its weights: it was rolled back, and the others are not to make up for it. */
  readonly spared?: boolean;
}

export interface WeightUse {
  readonly node: Node;
  readonly index: number;
}

/** What options say of layers. */
export interface Wanted {
  readonly skip: { readonly names: readonly string[]; readonly types: readonly string[] };
  /** Globs of node names with the share of zeros of these layers alone. */
  readonly sparsities: Readonly<Record<string, number>>;
}

/** A node with weights of which none may be pruned, and why. */
export interface Untouched {
  readonly node: Node;
  readonly reason: string;
}

/**
 * The weights of a graph that may be pruned, in graph order: constant float32 tensors of rank 2 and more.
 * @throws E_OPTION_VALUE when `skip` or `sparsities` mean no layer that can be pruned, E_GRAPH_INVALID when nothing is left
 */
export function findTargets(
  graph: Graph,
  { skip, sparsities }: Wanted,
  keep: ReadonlySet<string>,
  rolledBack: ReadonlySet<string> = new Set(),
): { readonly targets: readonly PruneTarget[]; readonly untouched: readonly Untouched[] } {
  requireMeaning(graph, skip);
  requirePrunable(graph, Object.keys(sparsities));
  const uses = new Map<string, WeightUse[]>();
  const untouched: Untouched[] = [];
  const held = new Map<string, string>();
  for (const node of graph.nodes) {
    if (parametersOf(node, 'weight').length === 0) continue;
    const own = weightUses(graph, node);
    const reason =
      own.length === 0
        ? 'its weights are no float32 constants'
        : (skipReason(node, skip) ??
          (keep.has(node.name) && !rolledBack.has(node.name) ? 'kept: ignored, or rolled back' : undefined));
    if (reason !== undefined) {
      untouched.push({ node, reason });
      for (const { index } of own) held.set(node.inputs[index], node.name);
      continue;
    }
    for (const use of own) {
      const weight = node.inputs[use.index];
      uses.set(weight, [...(uses.get(weight) ?? []), use]);
    }
  }
  const targets: PruneTarget[] = [];
  for (const [weight, readers] of uses) {
    const holder = held.get(weight);
    if (holder !== undefined) {
      const reason = `it shares its weights with ${holder}, which stays as it is`;
      untouched.push(...readers.map(({ node }) => ({ node, reason })));
      continue;
    }
    const { dims } = graph.initializers.get(weight)!;
    const glob = readers.map(({ node }) => matchingGlob(node.name, Object.keys(sparsities))).find((found) => found);
    const sparsity = glob === undefined ? undefined : sparsities[glob];
    const spared = readers.some(({ node }) => rolledBack.has(node.name));
    targets.push({ weight, dims, count: elementCount(dims), uses: readers, sparsity, spared });
  }
  if (targets.length === 0) throw nothingToPrune(untouched);
  return { targets, untouched };
}

/** Initializers with weights that could be pruned, in graph order. */
export function prunableWeights(graph: Graph): Set<string> {
  return new Set(graph.nodes.flatMap((node) => weightUses(graph, node).map(({ index }) => node.inputs[index])));
}

/** The weights of a node: biases, peepholes and the parameters of normalizations are never pruned. */
function weightUses(graph: Graph, node: Node): WeightUse[] {
  return parametersOf(node, 'weight', 'recurrent').flatMap(({ index }) => {
    const tensor = graph.initializers.get(node.inputs[index] ?? '');
    const fits = tensor?.type === 'float32' && tensor.dims.length >= 2 && elementCount(tensor.dims) > 0;
    return fits ? [{ node, index }] : [];
  });
}

function requirePrunable(graph: Graph, globs: readonly string[]): void {
  const prunable = graph.nodes.filter((node) => weightUses(graph, node).length > 0).map(({ name }) => name);
  for (const glob of globs) {
    if (prunable.some((name) => matchingGlob(name, [glob]) !== undefined)) continue;
    const meant = graph.nodes.find(({ name }) => matchingGlob(name, [glob]) !== undefined);
    throw new HoneError('E_OPTION_VALUE', {
      option: 'sparsities',
      expected: `names of layers with weights, or globs that match some${suchAs(glob, prunable)}`,
      found: meant ? `${glob}, a ${meant.op} without weights that can be pruned` : glob,
    });
  }
}

function nothingToPrune(untouched: readonly Untouched[]): HoneError {
  const reasons = untouched.slice(0, 5).map(({ node, reason }) => `${node.name}: ${reason}`);
  const message = `no layer can be pruned (${reasons.join('; ') || 'no layer has weights'})`;
  const diagnostics = formatDiagnostics([{ severity: 'error', kind: 'nothing-to-prune', where: 'graph', message }]);
  return new HoneError('E_GRAPH_INVALID', { diagnostics });
}
