import { compile, diagnose } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, tensorOf } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';
import type { PlanNode } from '../../lib/plan/description';
import { REDUCTIONS } from './call-of';
import { arrayOf, compiled, HASH, runEngine, runReference } from './run-case';
import { quantized } from './sample-plans';
import { feedsOf, type Sketch, sketch } from './small-graphs';

const POOL = { kernel_shape: [2, 2] };

/** A reduction of `op` behind a pool, whose result [2, 5, 3, 4] lies with its channels last. */
function reduced(op: string, axes: readonly number[] | undefined, keepdims: number, inPairs: boolean): Graph {
  return sketch((b, s) => {
    const pair = (value: string) => (inPairs ? s.pair(value) : value);
    const x = b.input('x', 'float32', [2, 5, 4, 5]);
    const image = pair(b.node('MaxPool', [pair(x)], POOL));
    const listed = axes === undefined ? [] : [s.ints(...axes)];
    return [pair(b.node(op, [image, ...listed], { keepdims }))];
  });
}

/** Operations that write the input of the reduction, the last first. */
function writersOf(nodes: readonly PlanNode[]): string[] {
  const at = nodes.findIndex(({ op }) => op.startsWith('reduce_'));
  return nodes
    .slice(0, at)
    .flatMap(({ op }) => (op.startsWith('reduce_') ? [] : [op]))
    .reverse();
}

describe.each(REDUCTIONS)('%s behind channels-last images', (op) => {
  test.each<[axes: readonly number[] | undefined, copied: boolean]>([
    [undefined, false],
    [[], false],
    [[2, 3], false],
    [[-1, -2], false],
    [[3], false],
    [[2], false],
    [[1], false],
    [[0], false],
    [[-3, 3], false],
    [[1, 2, 3], false],
    [[0, 2], false],
    [[1, 2], true],
    [[0, 1], true],
    [[0, 3], true],
  ])('axes %j, copied first: %s', async (axes, copied) => {
    for (const inPairs of [false, true])
      for (const keepdims of [0, 1]) {
        const graph = reduced(op, axes, keepdims, inPairs);
        const { plan, description } = compiled(graph);
        const type = inPairs ? 's8' : 'f32';
        const operation = `reduce_${op.slice('Reduce'.length).toLowerCase()}_${type}`;
        const { nodes } = description.variants[0];
        expect(nodes.filter(({ op: word }) => word.startsWith('reduce_')).map(({ op: word }) => word)).toEqual([
          operation,
        ]);
        expect(writersOf(nodes)[0]).toBe(copied ? 'copy_nd' : `max_pool_${type}`);
        const feeds = feedsOf(graph);
        const [name] = graph.outputs;
        const expected = (await runReference(graph, feeds)).get(name)!;
        expect(runEngine(plan, feeds, 2)[name]).toEqual(arrayOf(expected));
      }
  });
});

test.each<[what: string, operations: readonly string[], draw: (b: GraphBuilder, s: Sketch) => string]>([
  ['one element each', ['copy_nd'], (b, s) => b.node('ReduceMax', [b.input('x', 'float32', [1, 5, 1]), s.ints(0, 2)])],
  [
    'no axes, none meant',
    ['copy_nd'],
    (b, s) => b.node('ReduceMin', [b.input('x', 'float32', [2, 5]), s.ints()], { noop_with_empty_axes: 1 }),
  ],
  [
    'an input of the caller: copied as it is',
    ['copy_nd', 'reduce_max_f32', 'copy_nd'],
    (b, s) => b.node('ReduceMax', [b.input('x', 'float32', [2, 5, 3]), s.ints(1)]),
  ],
  [
    'the first axis and one of one element',
    ['copy_nd', 'reduce_max_f32', 'copy_nd'],
    (b, s) => b.node('ReduceMax', [b.input('x', 'float32', [2, 5, 1]), s.ints(0, 2)], { keepdims: 0 }),
  ],
  [
    'a flattened image, channel by channel within it',
    ['copy_nd', 'max_pool_f32', 'reduce_min_f32', 'copy_nd'],
    (b, s) => {
      const image = b.node('MaxPool', [b.input('x', 'float32', [2, 5, 4, 5])], POOL);
      return b.node('ReduceMin', [b.node('Reshape', [image, s.ints(2, 5, 12)]), s.ints(2)]);
    },
  ],
  [
    'bytes that stand for themselves',
    ['lut_s8', 'reduce_max_s8', 'lut_s8'],
    (b, s) => b.node('ReduceMax', [b.input('x', 'uint8', [2, 5, 3]), s.ints(1)]),
  ],
])('%s', async (_, operations, draw) => {
  const graph = sketch((b, s) => [draw(b, s)]);
  const { plan, description } = compiled(graph);
  expect(description.variants[0].nodes.map(({ op }) => op)).toEqual(operations);
  const feeds = feedsOf(graph);
  const [name] = graph.outputs;
  const expected = (await runReference(graph, feeds)).get(name)!;
  expect(runEngine(plan, feeds)[name]).toEqual(arrayOf(expected));
});

test('axes as an attribute, as older opsets have them', async () => {
  const b = new GraphBuilder({ opset: 13 });
  const x = b.input('x', 'float32', [2, 5, 3]);
  b.output(b.node('ReduceMin', [x], { axes: [-2], keepdims: 0 }));
  const graph = b.build();
  const feeds = feedsOf(graph);
  const [name] = graph.outputs;
  const expected = (await runReference(graph, feeds)).get(name)!;
  const { plan } = compile(prepare(graph).graph, { sourceHash: HASH });
  expect(runEngine(plan, feeds)[name]).toEqual(arrayOf(expected));
});

test.each<[what: string, message: RegExp, draw: (b: GraphBuilder, s: Sketch) => string]>([
  ['norms of integers', /integers/, (b, s) => b.node('ReduceL2', [b.input('x', 'int32', [2, 5]), s.ints(1)])],
  [
    'nothing',
    /empty/,
    (b, s) => b.node('Relu', [b.node('ReduceMin', [b.input('x', 'float32', [2, 0]), s.ints(1)], { keepdims: 0 })]),
  ],
])('refuses %s', (_, message, draw) => {
  const graph = sketch((b, s) => [draw(b, s)]);
  const { graph: prepared, diagnostics } = prepare(graph);
  expect([...diagnostics, ...diagnose(prepared)].map(({ message: text }) => text).join('\n')).toMatch(message);
});

test.each(REDUCTIONS)('%s between quantized layers stays int8 on the grid of its input', async (op) => {
  const rng = new Rng(5);
  const random = (...dims: number[]) =>
    tensorOf(
      'float32',
      dims,
      Float32Array.from({ length: elementCount(dims) }, () => rng.normal()),
    );
  const graph = sketch((b, s) => {
    const [first, second, last] = [random(8, 3, 3, 3), random(8, 8, 1, 1), random(2, 8, 1, 1)].map((w) =>
      b.initializer(w, 'w'),
    );
    const image = b.node('Conv', [b.input('x', 'float32', [1, 3, 8, 8]), first]);
    const gate = b.node('Sigmoid', [b.node('Conv', [b.node(op, [image, s.ints(2, 3)]), second])]);
    return [b.node('Conv', [b.node('Mul', [image, gate]), last])];
  });
  const qdq = await quantized(graph, datasetFromTensors('random', new Map([['x', random(16, 3, 8, 8)]])));
  const { plan, description } = compiled(qdq);
  const { nodes, tensors } = description.variants[0];
  expect(nodes.map(({ op: word }) => word)).toContain(`reduce_${op.slice('Reduce'.length).toLowerCase()}_s8`);
  expect(nodes.filter(({ op: word }) => word.endsWith('_f32'))).toEqual([]);
  const { inputs, outputs } = nodes.find(({ op: word }) => word.startsWith('reduce_'))!;
  const [x, y] = [tensors[inputs[0]!], tensors[outputs[0]]];
  expect([y.scale, y.zeroPoint]).toEqual([x.scale, x.zeroPoint]);
  const feeds = feedsOf(qdq);
  const [name] = qdq.outputs;
  expect(runEngine(plan, feeds)[name]).toEqual(arrayOf((await runReference(qdq, feeds)).get(name)!));
});
