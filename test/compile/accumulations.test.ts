import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, tensorOf } from '../../lib/ir/tensor';
import { OPERATORS } from '../../lib/ops';
import { callOf } from './call-of';
import { arrayOf, compiled, runEngine, runReference } from './run-case';
import { quantized } from './sample-plans';
import { feedsOf, sketch } from './small-graphs';

const ACCUMULATIONS = OPERATORS.filter((operator) => callOf(operator)?.kernel === 'accumulate').map(({ op }) => op);

test('there are eight of them', () => expect(ACCUMULATIONS).toHaveLength(8));

/** A reduction of positive numbers behind a pool, whose result [2, 5, 3, 4] lies with its channels last. */
function reduced(op: string, axes: readonly number[] | undefined, keepdims: number, inPairs = false): Graph {
  return sketch((b, s) => {
    const pair = (value: string) => (inPairs ? s.pair(value) : value);
    const image = b.node('MaxPool', [pair(b.node('Abs', [b.input('x', 'float32', [2, 5, 4, 5])]))], {
      kernel_shape: [2, 2],
    });
    return [pair(b.node(op, [pair(image), ...(axes ? [s.ints(...axes)] : [])], { keepdims }))];
  });
}

async function differences(graph: Graph, tolerance: number): Promise<readonly unknown[]> {
  const feeds = feedsOf(graph);
  const [name] = graph.outputs;
  const expected = Array.from(arrayOf((await runReference(graph, feeds)).get(name)!));
  const found = runEngine(compiled(graph).plan, feeds, 2)[name];
  expect(found.length).toBe(expected.length);
  return expected.filter(
    (value, i) => value !== found[i] && !(Math.abs(found[i] - value) <= tolerance * (1 + Math.abs(value))),
  );
}

const AXES = [undefined, [], [2, 3], [3], [1], [0], [1, 2, 3], [1, 2], [0, 3]] as const;

describe.each(ACCUMULATIONS)('%s behind channels-last images', (op) => {
  test.each(AXES.map((axes) => [axes]))('axes %j', async (axes) => {
    for (const keepdims of [0, 1]) expect(await differences(reduced(op, axes, keepdims), 1e-5)).toEqual([]);
  });
});

test.each(AXES.map((axes) => [axes]))('ReduceMean of int8 over axes %j is an exact mean', async (axes) => {
  for (const keepdims of [0, 1]) {
    const graph = reduced('ReduceMean', axes, keepdims, true);
    const { nodes } = compiled(graph).description.variants[0];
    expect(nodes.map(({ op }) => op)).toContain('average_pool_s8');
    expect(nodes.map(({ op }) => op)).not.toContain('reduce_f32');
    // Of a tie onnxruntime's sum of products may fall on the other side.
    expect(await differences(graph, 0.05)).toEqual([]);
  }
});

test('activations behind a reduction are bounds of it', async () => {
  const graph = sketch((b, s) => [b.node('Relu', [b.node('ReduceSum', [b.input('x', 'float32', [4, 6]), s.ints(1)])])]);
  expect(compiled(graph).description.variants[0].nodes.map(({ op }) => op)).toEqual([
    'copy_nd',
    'reduce_f32',
    'copy_nd',
  ]);
  expect(await differences(graph, 1e-6)).toEqual([]);
});

test('one element alone: squares and roots stay, sums have nothing to do', async () => {
  for (const op of ACCUMULATIONS) {
    const graph = sketch((b, s) => [b.node(op, [b.node('Abs', [b.input('x', 'float32', [2, 1, 40])]), s.ints(1)])]);
    const { nodes } = compiled(graph).description.variants[0];
    const stays = ['ReduceSumSquare', 'ReduceL1', 'ReduceL2', 'ReduceLogSum'].includes(op);
    expect([op, nodes.some((node) => node.op === 'reduce_f32')]).toEqual([op, stays]);
    expect(await differences(graph, 1e-6)).toEqual([]);
  }
});

test('a mean between quantized layers stays int8 on a grid of its own', async () => {
  const rng = new Rng(5);
  const random = (...dims: number[]) =>
    tensorOf(
      'float32',
      dims,
      Float32Array.from({ length: elementCount(dims) }, () => rng.normal()),
    );
  const graph = sketch((b, s) => {
    const [first, last] = [random(8, 3, 3, 3), random(8, 2)].map((w) => b.initializer(w, 'w'));
    const image = b.node('Conv', [b.input('x', 'float32', [1, 3, 8, 8]), first]);
    return [b.node('MatMul', [b.node('ReduceMean', [image, s.ints(2, 3)], { keepdims: 0 }), last])];
  });
  const qdq = await quantized(graph, datasetFromTensors('random', new Map([['x', random(16, 3, 8, 8)]])));
  const { nodes } = compiled(qdq).description.variants[0];
  expect(nodes.map(({ op }) => op)).toEqual(expect.arrayContaining(['average_pool_s8']));
  expect(nodes.filter(({ op }) => op.endsWith('_f32'))).toEqual([]);
});
