import type { Dim } from '../../ir/graph';
import { broadcastExtents, broadcastOffsets, broadcastShapes } from '../broadcast';
import { elementCost } from '../cost';
import { elementwise } from '../coupling';
import { emptyLike } from '../dense';
import { dimsOf, formulas, sumToShape } from '../gradients';
import type { InferContext, Inferred, Operator } from '../operator';
import { EVERY_TYPE, problem, required, typedAs } from '../schema';

/** `X` where the condition holds, else `Y`; all three broadcast. */
export const where: Operator = {
  op: 'Where',
  domain: '',
  since: 16,
  schema: {
    inputs: [required('condition', ['bool']), required('X', EVERY_TYPE), typedAs(required('Y', EVERY_TYPE), 'X')],
    outputs: [required('output', EVERY_TYPE)],
    attributes: {},
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type } = inputs[1]!;
    const shapes = inputs.map((input) => input!.shape);
    if (shapes.some((shape) => !shape)) return [{ type, shape: undefined }];
    const shape = broadcastShapes(shapes as Dim[][]);
    if (!shape)
      return problem(node, 'shape-mismatch', `shapes ${shapes.map((s) => `[${s}]`).join(' ')} do not broadcast`);
    return [{ type, shape, partial: shape.length <= 1 ? choose(context) : undefined }];
  },
  evaluate: ([condition, x, y]) => {
    const dims = broadcastExtents(condition!.dims, x!.dims, y!.dims);
    const result = emptyLike(x!, dims);
    const [fromCondition, fromX, fromY] = [condition!, x!, y!].map((input) => broadcastOffsets(input.dims, dims));
    for (let i = 0; i < result.data.length; i++)
      result.data[i] = condition!.data[fromCondition[i]] ? x!.data[fromX[i]] : y!.data[fromY[i]];
    return [result];
  },
  gradient: ({ node, emit, outputGradients, wants }) => {
    const [condition, x, y] = node.inputs;
    const dy = outputGradients[0]!;
    const f = formulas(emit);
    const part = (index: number, value: string, chosen: string | number, other: string | number) =>
      wants(index) ? sumToShape(emit, f('Where', condition, chosen, other), dimsOf(emit, value)) : undefined;
    return [undefined, part(1, x, dy, 0), part(2, y, 0, dy)];
  },
  coupling: elementwise,
  cost: elementCost,
  lower: () => ({ kernel: 'where' }),
};

function choose(context: InferContext): Inferred['partial'] {
  const lists = [0, 1, 2].map((index) => context.partial(index));
  if (lists.some((list) => !list)) return undefined;
  const lengths = lists.map((list) => list!.length);
  const count = lengths.includes(0) ? 0 : Math.max(...lengths);
  return Array.from({ length: count }, (_, i) => {
    const [condition, x, y] = lists.map((list) => list![list!.length === 1 ? 0 : i]);
    if (x === y) return x;
    return typeof condition === 'number' ? (condition ? x : y) : undefined;
  });
}
