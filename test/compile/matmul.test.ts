import { compile, diagnose } from '../../lib/compile/compile';
import { lowerGraph } from '../../lib/compile/lower-graph';
import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { evaluateGraph } from '../ops/evaluate-graph';
import { uniform } from '../ops/op-case';
import { HASH, runEngine } from './run-case';
import { sketch } from './small-graphs';

/** Largest difference between the engine and the reference, relative to the larger of 1 and the value. */
function differenceOf(given: Graph, feeds: ReadonlyMap<string, Tensor>): number {
  const dense = new Map([...feeds].map(([name, tensor]) => [name, toDense(tensor, 'float32')]));
  const expected = evaluateGraph(given, dense, 'float32');
  const found = runEngine(compile(prepare(given).graph, { sourceHash: HASH }).plan, feeds);
  const differences = given.outputs.flatMap((name) =>
    Array.from(expected.get(name)!.data, (value, i) => Math.abs(found[name][i] - value) / Math.max(1, Math.abs(value))),
  );
  return Math.max(...differences);
}

const opsOf = (graph: Graph): string[] => lowerGraph(prepare(graph).graph).state.program.steps.map(({ op }) => op);

test('attention: heads are read where they lie, by strides', () => {
  const [tokens, heads, size] = [5, 3, 4];
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, tokens, heads * size]);
  const shape = b.initializer(tensorFrom('int64', [4], [1, tokens, heads, size]));
  const project = (seed: number, perm: readonly number[]) => {
    const rows = b.node('MatMul', [x, b.initializer(uniform([heads * size, heads * size], seed))]);
    return b.node('Transpose', [b.node('Reshape', [rows, shape])], { perm: [...perm] });
  };
  const [q, k, v] = [project(2, [0, 2, 1, 3]), project(3, [0, 2, 3, 1]), project(4, [0, 2, 1, 3])];
  const weights = b.node('Softmax', [b.node('MatMul', [q, k])]);
  b.output(b.node('MatMul', [weights, v]));
  const graph = b.build();
  // The copies are those from and to the caller.
  const ops = ['copy_nd', 'fc_f32', 'fc_f32', 'fc_f32', 'matmul_f32', 'softmax_f32', 'matmul_f32', 'copy_nd'];
  expect(opsOf(graph)).toEqual(ops);
  expect(differenceOf(graph, new Map([['x', uniform([1, tokens, heads * size])]]))).toBeLessThan(1e-5);
});

test('stacks that share a right factor are one product with more rows', () => {
  const b = new GraphBuilder();
  b.output(b.node('MatMul', [b.input('x', 'float32', [2, 3, 5, 4]), b.input('z', 'float32', [4, 6])]));
  const [step] = lowerGraph(prepare(b.build()).graph).state.program.steps;
  expect(step.params).toMatchObject({ batch: [], rows: 30, aStrides: [4, 1], bStrides: [6, 1] });
});

test('int8: heads read where they lie, products exact', () => {
  const drawn = sketch((b, s) => {
    const heads = (name: string, perm: readonly number[]) =>
      b.node('Transpose', [s.pair(b.input(name, 'float32', [2, 5, 3, 4]), 2 ** -4)], { perm: [...perm] });
    return [s.pair(b.node('MatMul', [heads('q', [0, 2, 1, 3]), heads('k', [0, 2, 3, 1])]), 2 ** -3)];
  });
  const { graph } = inferShapes(drawn);
  expect(opsOf(graph)).toEqual(['quantize_s8', 'quantize_s8', 'matmul_s8', 'dequantize_s8']);
  const feeds = new Map([1, 2].map((seed) => [seed === 1 ? 'q' : 'k', uniform([2, 5, 3, 4], seed)] as const));
  // All sums are exact in float32, so that both round the same numbers.
  expect(differenceOf(graph, feeds)).toBe(0);
});

test('int8: one column, each factor with a zero point of its own', () => {
  const drawn = sketch((b, s) => {
    const a = s.pair(b.input('a', 'float32', [2, 7, 5]), 2 ** -4, 90);
    return [s.pair(b.node('MatMul', [a, s.pair(b.input('z', 'float32', [2, 5, 1]), 2 ** -5, 140)]), 2 ** -3)];
  });
  const { graph } = inferShapes(drawn);
  expect(opsOf(graph)).toEqual(['quantize_s8', 'quantize_s8', 'matmul_s8', 'dequantize_s8']);
  const feeds = new Map([
    ['a', uniform([2, 7, 5])],
    ['z', uniform([2, 5, 1], 2)],
  ]);
  expect(differenceOf(graph, feeds)).toBe(0);
});

/** A random product: batches that broadcast, operands behind a Transpose or a Slice, vectors. */
function randomProduct(rng: Rng): { what: string; graph: Graph; feeds: Map<string, Tensor> } {
  const b = new GraphBuilder();
  const feeds = new Map<string, Tensor>();
  const batch = Array.from({ length: rng.integer(0, 3) }, () => rng.integer(1, 3));
  const [rows, inner, columns] = [rng.integer(1, 9), rng.integer(1, 9), rng.uniform() < 0.2 ? 1 : rng.integer(1, 40)];
  const said: string[] = [];
  const operand = (name: string, matrix: readonly number[]): string => {
    const own = batch.map((extent) => (rng.uniform() < 0.3 ? 1 : extent)).slice(rng.integer(0, batch.length));
    const vector = own.length === 0 && rng.uniform() < 0.2;
    const dims = vector ? [inner] : [...own, ...matrix];
    const perm = rng.uniform() < 0.6 ? [...rng.permutation(dims.length)] : dims.map((_, axis) => axis);
    const given = perm.map((_, axis) => dims[perm.indexOf(axis)]);
    const doubled = given.map((extent, axis) => (axis === 0 && rng.uniform() < 0.3 ? 2 * extent + 1 : extent));
    feeds.set(name, uniform(doubled, feeds.size + 1));
    let value = b.node('Relu', [b.input(name, 'float32', doubled)]);
    if (doubled[0] !== given[0]) {
      const ints = (...values: number[]) => b.initializer(tensorFrom('int64', [values.length], values));
      value = b.node('Slice', [value, ints(1), ints(doubled[0]), ints(0), ints(2)]);
    }
    said.push(`[${dims}] in order ${perm}${doubled[0] !== given[0] ? ', every second' : ''}`);
    return b.node('Transpose', [value], { perm });
  };
  const [left, right] = [operand('x', [rows, inner]), operand('z', [inner, columns])];
  b.output(b.node('MatMul', [left, right]));
  return { what: said.join(' times '), graph: b.build(), feeds };
}

test('120 random products of operands that lie in any order', () => {
  const rng = new Rng(5);
  const wrong = Array.from({ length: 120 }, () => randomProduct(rng)).flatMap(({ what, graph, feeds }) => {
    expect(diagnose(prepare(graph).graph)).toEqual([]);
    return differenceOf(graph, feeds) < 1e-5 ? [] : [what];
  });
  expect(wrong).toEqual([]);
});
