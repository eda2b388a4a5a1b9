import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { emptyDense } from '../../lib/ops/dense';
import { knownDims } from '../../lib/ops/dims';
import type { Dense } from '../../lib/ops/operator';
import { inferShapes } from '../../lib/passes/infer-shapes';

/** A small graph for one rewrite, with what it is called in test/passes/golden. */
export interface PassCase {
  readonly name: string;
  readonly graph: Graph;
}

/** Graph with inferred shapes from what `build` adds; the values it returns are the outputs. */
export function passCase(name: string, build: (builder: GraphBuilder) => string | readonly string[]): PassCase {
  const builder = new GraphBuilder({ name });
  for (const output of [build(builder)].flat()) builder.output(output);
  return { name, graph: inferShapes(builder.build()).graph };
}

/** Numbers in (-1, 1) with few digits, so that golden texts stay readable. */
export function weights(dims: readonly number[], seed = 1): Tensor {
  const rng = new Rng(seed);
  return tensorFrom(
    'float32',
    dims,
    Array.from({ length: elementCount(dims) }, () => rng.integer(-8, 8) / 8),
  );
}

/** Random values for all inputs; symbols become 2. */
export function feedsFor(graph: Graph): Map<string, Dense> {
  const rng = new Rng(7);
  return new Map(
    graph.inputs.map((name) => {
      const { type, shape } = graph.values.get(name)!;
      const dims = knownDims(shape!.map((dim) => (typeof dim === 'number' ? dim : 2)))!;
      const dense = emptyDense(type, dims, 'float32');
      for (let i = 0; i < dense.data.length; i++)
        dense.data[i] = type === 'float32' ? 4 * rng.uniform() - 2 : rng.integer(type === 'int8' ? -100 : 0, 100);
      return [name, dense];
    }),
  );
}
