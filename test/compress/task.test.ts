import { largestAlong, natsOf, type Task, taskOf } from '../../lib/compress/task';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dim, Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { uniform } from '../ops/op-case';

/** Input `x` of the given type and extents, and what `build` makes of it. */
function graphOf(type: 'float32' | 'int64', dims: Dim[], build: (b: GraphBuilder, x: string) => string): Graph {
  const builder = new GraphBuilder();
  builder.output(build(builder, builder.input('x', type, dims)), 'float32', undefined);
  return inferShapes(builder.build()).graph;
}
const dense = (b: GraphBuilder, x: string, from: number, to: number) =>
  b.node('MatMul', [x, b.initializer(uniform([from, to]))]);
const embedded = (b: GraphBuilder, x: string) => b.node('Gather', [b.initializer(uniform([50, 6])), x]);

const CLASSES: Task = { kind: 'classes' };
const NUMBERS: Task = { kind: 'numbers' };

test.each<[what: string, graph: () => Graph, unlabelled: Task]>([
  ['logits', () => graphOf('float32', ['N', 6], (b, x) => dense(b, x, 6, 4)), CLASSES],
  ['a Softmax', () => graphOf('float32', ['N', 6], (b, x) => b.node('Softmax', [dense(b, x, 6, 6)])), CLASSES],
  [
    'logits as a map of one pixel',
    () => graphOf('float32', ['N', 6, 1, 1], (b, x) => b.node('Conv', [x, b.initializer(uniform([4, 6, 1, 1]))])),
    CLASSES,
  ],
  ['one number', () => graphOf('float32', ['N', 6], (b, x) => dense(b, x, 6, 1)), NUMBERS],
  ['an autoencoder', () => graphOf('float32', ['N', 6], (b, x) => dense(b, dense(b, x, 6, 2), 2, 6)), NUMBERS],
  [
    'a mask of sigmoids',
    () => graphOf('float32', ['N', 1, 6], (b, x) => b.node('Sigmoid', [dense(b, x, 6, 5)])),
    NUMBERS,
  ],
  [
    'heat maps',
    () => graphOf('float32', ['N', 3, 8, 8], (b, x) => b.node('Conv', [x, b.initializer(uniform([4, 3, 1, 1]))])),
    NUMBERS,
  ],
  [
    'a segmentation',
    () =>
      graphOf('float32', ['N', 3, 8, 8], (b, x) =>
        b.node('Softmax', [b.node('Conv', [x, b.initializer(uniform([4, 3, 1, 1]))])], { axis: 1 }),
      ),
    { kind: 'positions', axis: 1, form: 'probabilities', tokens: undefined },
  ],
  ['boxes', () => graphOf('float32', ['N', 10, 6], (b, x) => dense(b, x, 6, 4)), NUMBERS],
  [
    'scores of boxes',
    () => graphOf('float32', ['N', 10, 6], (b, x) => b.node('Softmax', [dense(b, x, 6, 2)])),
    { kind: 'positions', axis: 2, form: 'probabilities', tokens: undefined },
  ],
  [
    'a language model',
    () => graphOf('int64', ['N', 'T'], (b, x) => dense(b, embedded(b, x), 6, 50)),
    { kind: 'positions', axis: 2, form: 'logits', tokens: 'x' },
  ],
  [
    'its logarithms',
    () => graphOf('int64', ['N', 12], (b, x) => b.node('LogSoftmax', [dense(b, embedded(b, x), 6, 50)])),
    { kind: 'positions', axis: 2, form: 'logarithms', tokens: 'x' },
  ],
  [
    'a class of a text',
    () =>
      graphOf('int64', ['N', 12], (b, x) =>
        dense(
          b,
          b.node('ReduceMean', [embedded(b, x), b.initializer(tensorFrom('int64', [1], [1]))], { keepdims: 0 }),
          6,
          3,
        ),
      ),
    CLASSES,
  ],
])('%s', (_, graph, unlabelled) => {
  expect(taskOf(graph(), false)).toEqual(unlabelled);
  expect(taskOf(graph(), true)).toEqual(CLASSES);
});

test('the largest along an axis, for every position of the others', () => {
  const values = [1, 5, 2, 4, 3, 3, 9, 0, 8, 7, 6, 7];
  expect(Array.from(largestAlong(values, [2, 2, 3], 2))).toEqual([1, 0, 0, 0]);
  expect(Array.from(largestAlong(values, [2, 2, 3], 1))).toEqual([1, 0, 1, 0, 1, 0]);
  expect(Array.from(largestAlong(values, [12], 0))).toEqual([6]);
});

test('nats of next tokens, from logits, probabilities and logarithms', () => {
  const logits = [0, Math.log(3), 2, 2, 7, 1];
  const rows = [0, 1, 2].map((t) => {
    const [a, b] = [logits[2 * t], logits[2 * t + 1]].map(Math.exp);
    return [a / (a + b), b / (a + b)];
  });
  const tokens = [0, 1, 0];
  const expected = -(Math.log(3 / 4) + Math.log(1 / 2)) / 2;
  expect(natsOf(logits, 2, tokens, 'logits')).toBeCloseTo(expected, 12);
  expect(natsOf(rows.flat(), 2, tokens, 'probabilities')).toBeCloseTo(expected, 12);
  expect(natsOf(rows.flat().map(Math.log), 2, tokens, 'logarithms')).toBeCloseTo(expected, 12);
  expect(natsOf(logits, 2, [0, 1, 2], 'logits')).toBeUndefined();
  expect(natsOf(logits.slice(0, 2), 2, [0], 'logits')).toBeUndefined();
});
