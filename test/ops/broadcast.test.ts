import type { ElementType } from '../../lib/ir/element-type';
import type { Dim, Node } from '../../lib/ir/graph';
import { elementCount } from '../../lib/ir/tensor';
import { emptyDense } from '../../lib/ops/dense';
import { findOperator } from '../../lib/ops/index';
import type { Dense } from '../../lib/ops/operator';

const node = (op: string): Node => ({
  name: op,
  op,
  domain: '',
  inputs: ['a', 'b', 'c'],
  outputs: ['y'],
  attributes: new Map(),
});

/** Elements that inference knows of an operator's output, from vectors of known elements. */
function knownElements(op: string, types: readonly ElementType[], inputs: readonly (readonly Dim[])[]) {
  const found = findOperator('', op)!.infer({
    node: { ...node(op), inputs: inputs.map((_, index) => `x${index}`) },
    inputs: inputs.map((elements, index) => ({ type: types[index], shape: [elements.length] })),
    constant: () => undefined,
    partial: (index) => inputs[index],
  });
  return 'severity' in found ? found : found[0];
}

test.each([
  ['Where', ['bool', 'int64', 'int64'] as const, [[1], [5], []]],
  ['Where', ['bool', 'int64', 'int64'] as const, [[], [5], [6]]],
  ['Add', ['int64', 'int64'] as const, [[1], []]],
])('%s of %s over %j: as many known elements as the shape has', (op, types, inputs) => {
  expect(knownElements(op, types, inputs)).toMatchObject({ shape: [0], partial: [] });
});

test('Where chooses among known elements', () => {
  const types = ['bool', 'int64', 'int64'] as const;
  expect(knownElements('Where', types, [[1, 0], ['N'], [3, 4]])).toMatchObject({ shape: [2], partial: ['N', 4] });
});

test.each([
  [
    ['N', 4, 5],
    ['N', 4, 6],
    [1, 1, 0],
  ],
  [
    ['N', 'N+1', 'M'],
    [-1, -1, 3],
    [0, 0, undefined],
  ],
  [['N'], ['M'], [undefined]],
])('Equal of extents %j and %j is %j as far as it is the same for all symbols', (a, b, expected) => {
  expect(knownElements('Equal', ['int64', 'int64'], [a, b])).toMatchObject({ partial: expected });
});

const dense = (type: ElementType, dims: readonly number[], ...data: number[]): Dense => {
  const made = emptyDense(type, dims, 'float32');
  made.data.set(data.length > 0 ? data : new Array(elementCount(dims)).fill(1));
  return made;
};

test.each([
  ['Expand', [dense('float32', [3]), dense('int64', [1], 5)]],
  ['Where', [dense('bool', [2]), dense('float32', [3]), dense('float32', [1])]],
  ['Add', [dense('float32', [2]), dense('float32', [3])]],
  ['MatMul', [dense('float32', [2, 1, 1]), dense('float32', [3, 1, 1])]],
])('%s of values that do not broadcast is a RangeError, which leaves it to the runtime', (op, inputs) => {
  expect(() => findOperator('', op)!.evaluate!(inputs, node(op), 'float32')).toThrow(RangeError);
});
