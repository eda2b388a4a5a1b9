import type { Graph } from '../../ir/graph';
import { elementCount, type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import { prepare } from '../../passes/pipeline';
import { requireConsistent } from '../../passes/require-consistent';
import { requireFloatGraph } from '../quantize/plan';
import { type TrialContext, type TrialDamage, type TrialResults, tryWeights } from '../weight-trials';
import { selectLocal } from './select-masks';
import { findTargets } from './targets';

/** What the network loses when the smallest weights of one layer alone are zero. */
export interface PruningSensitivityRow extends TrialDamage {
  /** Node name; the first reader where several share the weights. */
  readonly layer: string;
  readonly op: string;
  /** Share of zeros. */
  readonly sparsity: number;
  readonly weights: number;
}

export interface PruningSensitivity extends Omit<TrialResults, 'damages'> {
  /** By layer in graph order, then as `sparsities` was given. */
  readonly rows: readonly PruningSensitivityRow[];
}

/**
 * Damage of pruning each layer alone by magnitude to each share of zeros, on validation samples.
 * @throws E_GRAPH_INVALID for a quantized graph, one without weights or one that `requireConsistent` refuses, what `tryWeights` throws
 */
export async function pruningSensitivity(
  graph: Graph,
  context: TrialContext,
  { sparsities, samples }: { readonly sparsities: readonly number[]; readonly samples: number },
): Promise<PruningSensitivity> {
  requireFloatGraph(graph);
  const float = requireConsistent(prepare(graph));
  const { targets } = findTargets(float, { skip: { names: [], types: [] }, sparsities: {} }, new Set());
  const trials = targets.flatMap(({ weight, uses }) =>
    sparsities.map((sparsity) => ({
      weight,
      tensor: pruned(float.initializers.get(weight)!, sparsity),
      layer: uses[0].node.name,
      op: uses[0].node.op,
      sparsity,
    })),
  );
  const { damages, ...rest } = await tryWeights(float, trials, samples, context);
  const rows = trials.map(({ layer, op, sparsity, tensor: { dims } }, index) => ({
    layer,
    op,
    sparsity,
    weights: elementCount(dims),
    ...damages[index],
  }));
  return { rows, ...rest };
}

function pruned(tensor: Tensor, sparsity: number): Tensor {
  const values = viewAs(tensor, 'float32');
  const { mask } = selectLocal({ scores: Float64Array.from(values, Math.abs) }, sparsity);
  return tensorOf(
    'float32',
    tensor.dims,
    values.map((value, index) => value * mask[index]),
  );
}
