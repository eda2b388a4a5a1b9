import { ints, opCase, random } from '../draw';
import { integers, type OpCase } from '../op-case';

const x = random([2, 3, 4], 0.1, 2);
const ops = ['Sum', 'Mean', 'Prod', 'Max', 'Min', 'SumSquare', 'L1', 'L2', 'LogSum', 'LogSumExp'].map(
  (word) => `Reduce${word}`,
);

export const CASES: readonly OpCase[] = [
  ...ops.flatMap((op) => [
    opCase(op, 'all axes', [x]),
    opCase(op, 'one axis, kept', [x, ints(1)]),
    opCase(op, 'two axes, removed', [x, ints(0, -1)], { keepdims: 0 }),
    opCase(op, 'an axis of one element, removed', [random([2, 1, 4], 0.1, 2), ints(1)], { keepdims: 0 }),
    opCase(op, 'no axes, nothing to do', [x, ints()], { noop_with_empty_axes: 1 }),
  ]),
  ...['ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd'].map((op) =>
    opCase(op, 'int32', [integers('int32', [3, 4], -5, 5), ints(1)]),
  ),
  ...['ReduceSum', 'ReduceMax', 'ReduceMin'].flatMap((op) =>
    (['int32', 'int64'] as const).flatMap((type) => [
      opCase(op, `${type}, all axes`, [integers(type, [2, 3, 4], -9, 9)], { keepdims: 0 }),
      opCase(op, `${type}, two axes`, [integers(type, [2, 3, 4, 2], -9, 9), ints(1, 3)]),
    ]),
  ),
  ...['ReduceMax', 'ReduceMin'].flatMap((op) => [
    opCase(op, 'uint8', [integers('uint8', [3, 4], 0, 255), ints(0)]),
    opCase(op, 'bool', [integers('bool', [3, 4], 0, 1), ints(1)], { keepdims: 0 }),
  ]),
  ...[
    ['last axis', undefined, 2],
    ['first axis', 0, 1],
    ['inner axis, all of it', 1, 3],
  ].flatMap(([title, axis, count]) =>
    [1, 0].map((largest) =>
      opCase(
        'TopK',
        `${title}, ${largest ? 'largest' : 'smallest'}`,
        [x, ints(count as number)],
        { axis: axis as number, largest },
        { outputs: 2 },
      ),
    ),
  ),
  opCase('TopK', 'equal integers', [integers('int32', [4, 9], 0, 2), ints(5)], {}, { outputs: 2 }),
  opCase('TopK', 'opset 1', [x], { k: 2, axis: 1 }, { outputs: 2, opset: 9 }),
  ...['ArgMax', 'ArgMin'].flatMap((op) => [
    opCase(op, 'of an image, along its channels', [random([2, 20, 3, 4])], { axis: 1 }),
    opCase(op, 'of bytes', [integers('uint8', [3, 40], 0, 9)], { axis: 1 }),
    opCase(op, 'default', [x]),
    opCase(op, 'last axis, removed', [x], { axis: -1, keepdims: 0 }),
    opCase(op, 'first of equals', [integers('int32', [4, 9], 0, 2)], { axis: 1 }),
    opCase(op, 'last of equals', [integers('int32', [4, 9], 0, 2)], { axis: 1, select_last_index: 1 }),
  ]),
];
