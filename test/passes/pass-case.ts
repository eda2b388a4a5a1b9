import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { emptyDense } from '../../lib/ops/dense';
import { knownDims } from '../../lib/ops/dims';
import type { Dense } from '../../lib/ops/operator';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { evaluateGraph } from '../ops/evaluate-graph';

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
function feedsFor(graph: Graph): Map<string, Dense> {
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

/** Expects the same outputs of two graphs, on random inputs, up to float32 rounding. */
export function expectSameValues(before: Graph, after: Graph): void {
  const feeds = feedsFor(before);
  const [old, now] = [before, after].map((graph) => evaluateGraph(graph, feeds, 'float32'));
  for (const name of before.outputs) {
    const [a, b] = [old.get(name)!, now.get(name)!];
    expect({ type: b.type, dims: b.dims }).toEqual({ type: a.type, dims: a.dims });
    // Quantized outputs may differ by one where the exact value is a tie.
    const tolerance = a.type === 'float32' ? 1e-5 : 1;
    Array.from(b.data, (value: number, i) =>
      expect(Math.abs(value - a.data[i])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(a.data[i]) * 1e-3)),
    );
  }
}
