import type { Graph } from '../../ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import { prunableWeights } from './targets';

/**
 * Masks of 0 and 1 for the weights that hold exact zeros, by initializer: 0 where the weight is zero. Training with them keeps
 * earlier pruning. Looks at the weights of layers (see `prunableWeights`), or at the float32 initializers of these names.
 */
export function zeroMasks(graph: Graph, names: Iterable<string> = prunableWeights(graph)): Map<string, Tensor> {
  const masks = new Map<string, Tensor>();
  for (const name of names) {
    const tensor = graph.initializers.get(name);
    if (tensor?.type !== 'float32') continue;
    const weights = viewAs(tensor, 'float32');
    if (!weights.includes(0)) continue;
    const mask = Float32Array.from(weights, (weight) => Number(weight !== 0));
    masks.set(name, tensorOf('float32', tensor.dims, mask));
  }
  return masks;
}
