import type { Diagnostic } from '../../core/diagnostic';
import type { Graph } from '../../ir/graph';
import type { LayerDecision } from '../method';
import { type PruneOptions, scopeOf } from './prune-options';
import type { PruneTarget, Untouched } from './targets';
import { rowOf } from './weight-criteria';

/** A target after pruning. */
export interface Treated {
  readonly target: PruneTarget;
  readonly zeros: number;
  readonly damage: number;
}

/** Warnings about layers that make nothing but their bias any more, though they had weights. */
export function emptiedLayers(treated: readonly Treated[], before: (target: PruneTarget) => number): Diagnostic[] {
  const emptied = treated.filter(({ target, zeros }) => zeros === target.count && before(target) < target.count);
  return emptied.map(({ target }) => ({
    severity: 'warning',
    kind: 'emptied-layer',
    where: target.uses[0].node.name,
    message: 'pruning took all of its weights: a lower sparsity or threshold, a minKeep above 0, or skip keeps some',
  }));
}

/** One decision per node with weights, in graph order. */
export function decideLayers(
  graph: Graph,
  treated: readonly Treated[],
  untouched: readonly Untouched[],
  options: PruneOptions,
): LayerDecision[] {
  const decisions = new Map<string, LayerDecision>();
  for (const { node, reason } of untouched)
    decisions.set(node.name, { layer: node.name, treatment: 'left alone', reason });
  const byNode = new Map<string, Treated[]>();
  for (const layer of treated)
    for (const { node } of layer.target.uses) byNode.set(node.name, [...(byNode.get(node.name) ?? []), layer]);
  for (const [name, layers] of byNode) {
    const weights = layers.reduce((sum, { target }) => sum + target.count, 0);
    const zeros = layers.reduce((sum, layer) => sum + layer.zeros, 0);
    const kept = (100 * (weights - zeros)) / weights;
    decisions.set(name, {
      layer: name,
      treatment: `pruned to ${kept.toFixed(1)} % of ${weights.toLocaleString('en')} weights`,
      reason: reasonOf(layers[0].target, options),
      damage: Math.max(...layers.map(({ damage }) => damage)),
    });
  }
  return graph.nodes.flatMap(({ name }) => decisions.get(name) ?? []);
}

function reasonOf(target: PruneTarget, options: PruneOptions): string {
  const { criterion, pattern, threshold, minKeep } = options;
  if (pattern !== 'unstructured') return `${pattern} along the input channels, by ${criterion}`;
  if (target.sparsity !== undefined) return `its own sparsity ${target.sparsity}, by ${criterion}`;
  switch (scopeOf(options)) {
    case 'threshold':
      return `${criterion} below ${threshold}; a layer keeps at least ${minKeep}`;
    case 'local':
      return `the same sparsity in every ${rowOf(criterion).competes === 'unit' ? 'output unit' : 'layer'}, by ${criterion}`;
    default:
      return `lowest ${criterion} of all layers; a layer keeps at least ${minKeep}, or half the average`;
  }
}
