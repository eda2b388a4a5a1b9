import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { indexOutside, normalizeAxis } from '../axes';
import { elementCost } from '../cost';
import { gathering } from '../coupling-shapes';
import { emptyLike } from '../dense';
import { gatherGradient } from '../gather-gradient';
import type { Operator } from '../operator';
import { EVERY_TYPE, INDEX_TYPES, problem, required } from '../schema';

/** Slices of `data` along `axis` at the given indices (negative: from the end); the indices' shape takes the axis' place. */
export const gather: Operator = {
  op: 'Gather',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('data', EVERY_TYPE), required('indices', INDEX_TYPES)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { axis: { kind: 'int' } },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const [{ type, shape }, indices] = [inputs[0]!, inputs[1]!];
    if (!shape || !indices.shape) return [{ type, shape: undefined }];
    const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), shape.length);
    if (axis === undefined) return problem(node, 'bad-axis', `axis does not fit shape [${shape}]`);
    const outside = indexOutside(context.constant(1), [shape[axis]]);
    if (outside) return problem(node, 'bad-index', outside);
    const result = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
    const elements = shape.length === 1 ? context.partial(0) : undefined;
    const positions = context.partial(1);
    const partial =
      elements &&
      positions?.map((p) => (typeof p === 'number' ? elements[p < 0 ? p + elements.length : p] : undefined));
    return [{ type, shape: result, partial }];
  },
  evaluate: ([data, indices], node) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), data!.dims.length)!;
    const extent = data!.dims[axis];
    const outer = elementCount(data!.dims.slice(0, axis));
    const inner = elementCount(data!.dims.slice(axis + 1));
    const result = emptyLike(data!, [...data!.dims.slice(0, axis), ...indices!.dims, ...data!.dims.slice(axis + 1)]);
    let position = 0;
    for (let row = 0; row < outer; row++)
      for (const index of indices!.data) {
        const at = normalizeAxis(index, extent);
        if (at === undefined) throw new RangeError(`${node.name}: index ${index} is outside extent ${extent}`);
        const start = (row * extent + at) * inner;
        for (let i = 0; i < inner; i++) result.data[position++] = data!.data[start + i];
      }
    return [result];
  },
  coupling: gathering,
  gradient: gatherGradient,
  cost: elementCost,
  lower: ({ node, inputs }) => ({
    kernel: 'gather',
    axis: normalizeAxis(attribute(node, 'axis', 'int', 0), inputs[0]!.shape!.length)!,
  }),
};
