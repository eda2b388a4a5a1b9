import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { normalizeAxes } from '../axes';
import { elementCost } from '../cost';
import { movedAxes } from '../coupling';
import { knownDims } from '../dims';
import type { Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';
import { offsetsOf, readStrided, rowMajorStrides } from '../strides';

/** Axes in the order `perm`; reversed when it is left out. */
export const transpose: Operator = {
  op: 'Transpose',
  traits: ['rearranges'],
  domain: '',
  since: 21,
  schema: {
    inputs: [required('data', EVERY_TYPE)],
    outputs: [required('transposed', EVERY_TYPE)],
    attributes: { perm: { kind: 'ints' } },
  },
  infer: ({ node, inputs: [data], partial }) => {
    const { type, shape } = data!;
    if (!shape) return [{ type, shape }];
    const order = permutationOf(node, shape.length);
    // Counting from the end is no part of Transpose.
    const fits =
      order.length === shape.length && order.every((axis) => axis >= 0) && normalizeAxes(order, shape.length);
    if (!fits) return problem(node, 'bad-axis', `perm [${order}] does not fit shape [${shape}]`);
    const dims = knownDims(shape);
    const elements = dims && partial(0);
    const strides = dims && rowMajorStrides(dims);
    const pick = (from: readonly number[]) => order.map((axis) => from[axis]);
    return [
      {
        type,
        shape: order.map((axis) => shape[axis]),
        partial: elements && [...offsetsOf(pick(dims), pick(strides!))].map((offset) => elements[offset]),
      },
    ];
  },
  evaluate: ([data], node) => {
    const order = permutationOf(node, data!.dims.length);
    const strides = rowMajorStrides(data!.dims);
    const pick = (from: readonly number[]) => order.map((axis) => from[axis]);
    return [readStrided(data!, pick(data!.dims), pick(strides))];
  },
  gradient: ({ node, emit, outputGradients }) => {
    const order = permutationOf(node, emit.typeOf(node.inputs[0]).shape!.length);
    const inverse = order.map((_, axis) => order.indexOf(axis));
    return [emit.node('Transpose', [outputGradients[0]!], { perm: inverse })];
  },
  coupling: movedAxes(({ node, inputs: [data] }) => data?.shape && permutationOf(node, data.shape.length)),
  cost: elementCost,
  quantization: { inputs: [{ role: 'activation' }], output: 'same' },
  lower: ({ node, inputs: [data] }) =>
    data?.shape
      ? { kernel: 'transpose', permutation: permutationOf(node, data.shape.length) }
      : problem(node, 'not-lowered', 'the rank is unknown'),
};

/** Order of the input axes in the output of a Transpose node over `rank` axes. */
export function permutationOf(node: Node, rank: number): readonly number[] {
  return attribute(
    node,
    'perm',
    'ints',
    Array.from({ length: rank }, (_, axis) => rank - 1 - axis),
  );
}
