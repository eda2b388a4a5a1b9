import { normalizeLayers } from '../../../lib/compress/quantize/normalize-layers';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom, toNumbers } from '../../../lib/ir/tensor';

/** Pad of [1, 2, 6, 5] along some of its axes. */
function padded(pads: readonly number[], axes: readonly number[]): Graph {
  const b = new GraphBuilder();
  const [counts, listed] = [pads, axes].map((numbers) => b.initializer(tensorFrom('int64', [numbers.length], numbers)));
  b.output(b.node('Pad', [b.input('x', 'float32', [1, 2, 6, 5]), counts, '', listed], {}, { outputs: ['y'] }));
  return b.build();
}

test('pads of some axes become pads of all', () => {
  const { nodes, initializers } = normalizeLayers(padded([1, 2, 3, 4], [-1, 2]));
  expect(toNumbers(initializers.get(nodes[0].inputs[1])!)).toEqual([0, 0, 2, 1, 0, 0, 4, 3]);
});

test.each([
  ['a scalar', [], []],
  ['a vector', [4], [4]],
  ['three axes', [1, 4, 2], [2]],
])('a Gemm whose weights are %s stays as it is', (_, weight, bias) => {
  const b = new GraphBuilder();
  const constant = (dims: readonly number[]) =>
    b.initializer(tensorFrom('float32', dims, Array(dims.reduce((count, dim) => count * dim, 1)).fill(1)));
  b.output(
    b.node('Gemm', [b.input('x', 'float32', [3, 4]), constant(weight), constant(bias)], {
      alpha: { kind: 'float', value: 2 },
    }),
  );
  const graph = b.build();
  expect(normalizeLayers(graph).nodes).toEqual(graph.nodes);
});

test.each([
  ['an axis that is not there', [1, 1], [7]],
  ['more axes than pads', [1, 1], [2, 3]],
])('%s is left for shape inference to report', (_, pads, axes) => {
  const graph = padded(pads, axes);
  expect(normalizeLayers(graph).nodes).toEqual(graph.nodes);
});
