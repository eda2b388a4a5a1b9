import { Rng } from '../../core/rng';
import { attribute } from '../../ir/attribute';
import type { Graph, Node } from '../../ir/graph';
import { elementCount, type Tensor, tensorOf, viewAs } from '../../ir/tensor';
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
      const statistics = node.op === 'BatchNormalization' && place > 2;
      if (!statistics && !trainable.delete(name)) return;
      const old = graph.initializers.get(name);
      if (old) initializers.set(name, keepZeros(old, drawn(rng, node, place, old.dims)));
    });
  }
  return { ...graph, initializers };
}

function drawn(rng: Rng, node: Node, place: number, dims: readonly number[]): Tensor {
  switch (node.op) {
    case 'Conv':
      return place === 1 ? heNormal(rng, dims) : zeros(dims);
    case 'ConvTranspose':
    case 'MatMul':
      return place === 1 ? heNormal(rng, dims, 'in-out') : zeros(dims);
    case 'Gemm': {
      const layout = attribute(node, 'transB', 'int', 0) === 0 ? 'in-out' : 'out-in';
      return place === 1 ? heNormal(rng, dims, layout) : zeros(dims);
    }
    case 'LSTM':
    case 'GRU': {
      if (place === 3) return zeros(dims);
      const [directions, units, columns] = dims;
      return { ...glorotUniform(rng, [directions * units, columns]), dims };
    }
    case 'BatchNormalization':
    case 'LayerNormalization':
      return place === 1 || place === 4 ? ones(dims) : zeros(dims);
    default:
      return zeros(dims);
  }
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
