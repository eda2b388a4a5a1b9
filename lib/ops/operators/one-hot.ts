import { attribute } from '../../ir/attribute';
import type { Dim } from '../../ir/graph';
import { elementCount, toNumbers } from '../../ir/tensor';
import { normalizeAxis, unknownDim } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import type { Operator } from '../operator';
import { EVERY_TYPE, NUMBERS, problem, required } from '../schema';

/** `values[1]` at the index (negative: from the end) along a new axis of extent `depth`, `values[0]` elsewhere. */
export const oneHot: Operator = {
  op: 'OneHot',
  domain: '',
  since: 11,
  schema: {
    inputs: [required('indices', NUMBERS), required('depth', NUMBERS), required('values', EVERY_TYPE)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { axis: { kind: 'int' } },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type } = inputs[2]!;
    const { shape } = inputs[0]!;
    if (!shape) return [{ type, shape }];
    const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), shape.length + 1);
    if (axis === undefined) return problem(node, 'bad-axis', `axis does not fit indices [${shape}]`);
    const given = context.constant(1);
    const depth: Dim =
      context.partial(1)?.[0] ?? (given && Math.trunc(toNumbers(given)[0])) ?? unknownDim(node.outputs[0], axis);
    return [{ type, shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }];
  },
  evaluate: ([indices, depth, values], node) => {
    const { dims } = indices!;
    const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), dims.length + 1)!;
    const extent = Math.trunc(depth!.data[0]);
    const result = emptyLike(values!, [...dims.slice(0, axis), extent, ...dims.slice(axis)]);
    result.data.fill(values!.data[0]);
    const inner = elementCount(dims.slice(axis));
    indices!.data.forEach((index: number, i: number) => {
      const hot = normalizeAxis(Math.trunc(index), extent);
      if (hot === undefined) return;
      const [row, column] = [Math.floor(i / inner), i % inner];
      result.data[(row * extent + hot) * inner + column] = values!.data[1];
    });
    return [result];
  },
  cost: elementCost,
  lower: ({ node, inputs, outputs }) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), inputs[0]!.shape!.length + 1)!;
    return { kernel: 'one-hot', axis, depth: outputs[0]!.shape![axis] as number };
  },
};
