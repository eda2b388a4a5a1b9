import { Rng } from '../../core/rng';
import type { Graph, Node } from '../../ir/graph';
import { elementCount, type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import { isRecurrent, layerOf, parametersOf } from '../../ops/facts';
import { glorotUniform, heNormal, zeros } from '../../train/initialise';
import { trainableParameters } from '../../train/trainable';

/**
 * The graph with parameters as before any training: weights drawn by `heNormal` (recurrent ones by `glorotUniform`), biases and
 * shifts zero, scales one, statistics of BatchNormalization mean 0 and variance 1. Weights that are zero stay zero, and
 * nodes (by name) in `keep` stay as they are.
 */
export function initialiseWeights(graph: Graph, seed: number, keep: ReadonlySet<string> = new Set()): Graph {
  const rng = new Rng(seed);
  const initializers = new Map(graph.initializers);
  const trainable = new Set(trainableParameters(graph));
  for (const node of graph.nodes) {
    if (keep.has(node.name)) continue;
    node.inputs.forEach((name, place) => {
      const statistics = parametersOf(node, 'mean', 'variance').some(({ index }) => index === place);
      if (!statistics && !trainable.delete(name)) return;
      const old = graph.initializers.get(name);
      if (old) initializers.set(name, keepZeros(old, drawn(rng, node, place, old.dims)));
    });
  }
  return { ...graph, initializers };
}

/** What input `place` begins with; a bias that no layer owns is zero. */
function drawn(rng: Rng, node: Node, place: number, dims: readonly number[]): Tensor {
  const layer = layerOf(node);
  const role = layer?.parameters.find(({ index }) => index === place)?.role;
  if (role === 'scale' || role === 'variance') return ones(dims);
  if (layer?.axes === undefined || (role !== 'weight' && role !== 'recurrent')) return zeros(dims);
  if (isRecurrent(node)) {
    const [directions, units, columns] = dims;
    return { ...glorotUniform(rng, [directions * units, columns]), dims };
  }
  return heNormal(rng, dims, layer.axes.in < layer.axes.out ? 'in-out' : 'out-in');
}

function ones(dims: readonly number[]): Tensor {
  return tensorOf('float32', dims, new Float32Array(elementCount(dims)).fill(1));
}

/** Weights (rank 2 and more) that were pruned stay so. */
function keepZeros(old: Tensor, fresh: Tensor): Tensor {
  if (old.dims.length < 2) return fresh;
  const [before, now] = [viewAs(old, 'float32'), viewAs(fresh, 'float32')];
  return tensorOf(
    'float32',
    old.dims,
    now.map((value, index) => (before[index] === 0 ? 0 : value)),
  );
}
