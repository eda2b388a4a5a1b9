import type { Node } from '../ir/graph';
import { findOperator } from './index';
import type { LayerFacet, LayerParameter } from './layer';
import type { Operator, Trait } from './operator';

/** What `node` is made of; undefined for operators without parameters. */
export function layerOf(node: Node): LayerFacet | undefined {
  return findOperator(node.domain, node.op)?.layer?.(node);
}

/** The inputs of a node that hold parameters of these roles. */
export function parametersOf(node: Node, ...roles: readonly LayerParameter['role'][]): readonly LayerParameter[] {
  return layerOf(node)?.parameters.filter(({ role }) => roles.includes(role)) ?? [];
}

/** Axis of a layer's weights, of extents `dims`, along which inputs stand, and how many of them one unit reads. */
export function inputAxis(
  { node }: { readonly node: Node },
  dims: readonly number[],
): { axis: number; extent: number } {
  const { in: inputs, groups, grouped } = layerOf(node)!.axes!;
  const axis = inputs < 0 ? inputs + dims.length : inputs;
  return { axis, extent: grouped === 'in' ? dims[axis] / groups : dims[axis] };
}

/** Whether the operator of a node has a trait; nodes that Hone does not know have none. */
export function hasTrait(node: Node | undefined, trait: Trait): boolean {
  return node !== undefined && (findOperator(node.domain, node.op)?.traits?.includes(trait) ?? false);
}

/** What elements along an axis of a node's output tell of classes; undefined: nothing that is known. */
export function distributionOf(node: Node | undefined): Operator['distribution'] {
  return node && findOperator(node.domain, node.op)?.distribution;
}

/** Whether a node normalizes by statistics of samples that it remembers (BatchNormalization). */
export function hasStatistics(node: Node): boolean {
  return parametersOf(node, 'mean').length > 0;
}

/** Whether a node has weights of a hidden state (LSTM, GRU). */
export function isRecurrent(node: Node): boolean {
  return parametersOf(node, 'recurrent').length > 0;
}

/** Whether a node can have a bias of its own. */
export function takesBias(node: Node): boolean {
  return parametersOf(node, 'bias').length > 0;
}
