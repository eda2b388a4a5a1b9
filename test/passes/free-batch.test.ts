import { GraphBuilder } from '../../lib/ir/builder';
import { typeOf } from '../../lib/ir/edit';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom, viewAs } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { freeBatch } from '../../lib/passes/free-batch';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { uniform } from '../ops/op-case';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

/** One input `x` of these extents and what `build` makes of it. */
function graphOf(dims: number[], build: (builder: GraphBuilder, x: string) => string): Graph {
  const builder = new GraphBuilder();
  const output = build(builder, builder.input('x', 'float32', dims));
  builder.output(output, 'float32', undefined);
  return inferShapes(builder.build()).graph;
}
const shape = (builder: GraphBuilder, ...dims: number[]) =>
  builder.initializer(tensorFrom('int64', [dims.length], dims));

const FREE: readonly [name: string, dims: number[], build: (builder: GraphBuilder, x: string) => string][] = [
  ['no shape inside', [1, 2, 4], (b, x) => b.node('Relu', [x])],
  ['a Reshape to [1, 8]', [1, 2, 4], (b, x) => b.node('Reshape', [x, shape(b, 1, 8)])],
  ['a Reshape to [1, -1]', [1, 2, 4], (b, x) => b.node('Reshape', [x, shape(b, 1, -1)])],
  ['a Reshape to [0, 8]', [1, 2, 4], (b, x) => b.node('Reshape', [x, shape(b, 0, 8)])],
  ['a Reshape to [-1, 8]', [1, 2, 4], (b, x) => b.node('Reshape', [x, shape(b, -1, 8)])],
  ['a batch of three', [3, 2, 4], (b, x) => b.node('Reshape', [x, shape(b, 3, 4, 2)])],
  [
    'Flatten and Gemm',
    [1, 2, 4],
    (b, x) => b.node('Gemm', [b.node('Flatten', [x]), b.initializer(uniform([8, 3], 2))]),
  ],
];

test.each(FREE)('%s: several samples at once are each what it was alone', async (_, dims, build) => {
  const graph = graphOf(dims, build);
  const before = structuredClone([...graph.values]);
  const freed = freeBatch(graph)!;
  expect(verify(freed)).toEqual([]);
  expect([...graph.values]).toEqual(before);
  const [output] = freed.outputs;
  expect(typeOf(freed, output)!.shape).toEqual(['batch', ...typeOf(graph, output)!.shape!.slice(1)]);
  const samples = [uniform(dims, 1), uniform(dims, 2)].map((tensor) => viewAs(tensor, 'float32'));
  const together = tensorFrom(
    'float32',
    [2 * dims[0], ...dims.slice(1)],
    samples.flatMap((data) => [...data]),
  );
  const found = viewAs((await reference.evaluate(freed, new Map([['x', together]]), [output])).get(output)!, 'float32');
  const alone: number[] = [];
  for (const data of samples) {
    const feeds = new Map([['x', tensorFrom('float32', dims, [...data])]]);
    alone.push(...viewAs((await reference.evaluate(graph, feeds, [output])).get(output)!, 'float32'));
  }
  found.forEach((value, index) => {
    expect(value).toBeCloseTo(alone[index], 5);
  });
});

test.each<[name: string, build: () => Graph]>([
  [
    'a Reshape that mixes the batch with another axis',
    () => graphOf([1, 2, 4], (b, x) => b.node('Reshape', [b.node('Reshape', [x, shape(b, 2, 4)]), shape(b, 1, 2, 4)])),
  ],
  [
    'a symbol already',
    () => {
      const builder = new GraphBuilder();
      builder.output(builder.node('Relu', [builder.input('x', 'float32', ['N', 2])]), 'float32', ['N', 2]);
      return inferShapes(builder.build()).graph;
    },
  ],
  ['an output without the batch', () => graphOf([1, 2, 4], (b, x) => b.node('Reshape', [x, shape(b, 2, 4)]))],
  ['the batch summed away', () => graphOf([1, 2, 4], (b, x) => b.node('ReduceSum', [x, shape(b, 0)], { keepdims: 1 }))],
  ['another axis in front', () => graphOf([1, 2, 4], (b, x) => b.node('Transpose', [x], { perm: [1, 0, 2] }))],
])('not freed: %s', (_, build) => {
  expect(freeBatch(build())).toBeUndefined();
});
