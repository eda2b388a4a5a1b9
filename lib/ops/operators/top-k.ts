import { attribute } from '../../ir/attribute';
import { elementCount, toNumbers } from '../../ir/tensor';
import { knownNumbers, normalizeAxis, unknownDim } from '../axes';
import { inputCost } from '../cost';
import { emptyLike } from '../dense';
import { knownDims } from '../dims';
import type { Operator } from '../operator';
import { NUMBERS, problem, required } from '../schema';
import { attributeToInput } from '../upgrade-steps';

/** ONNX TopK-11: the K largest elements along an axis, or the smallest, and their places; of equal ones the first. */
export const topK: Operator = {
  op: 'TopK',
  domain: '',
  since: 11,
  schema: {
    inputs: [required('X', NUMBERS), required('K', ['int64'])],
    outputs: [required('Values', NUMBERS), required('Indices', ['int64'])],
    attributes: { axis: { kind: 'int' }, largest: { kind: 'int' }, sorted: { kind: 'int' } },
  },
  upgrade: (node, _from, emit) => [attributeToInput(node, emit, 'k', 1)],
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    if (!shape)
      return [
        { type, shape },
        { type: 'int64', shape },
      ];
    const given = attribute(node, 'axis', 'int', -1);
    const axis = normalizeAxis(given, shape.length);
    if (axis === undefined) return problem(node, 'bad-axis', `axis ${given} is not one of [${shape}]`);
    const [count] = knownNumbers(context, 1) ?? [];
    const extent = shape[axis];
    if (count !== undefined && typeof extent === 'number' && (count < 0 || count > extent))
      return problem(node, 'shape-mismatch', `${count} of ${extent} elements`);
    const picked = shape.map((dim, at) => (at === axis ? (count ?? unknownDim(node.outputs[0], axis)) : dim));
    return [
      { type, shape: picked },
      { type: 'int64', shape: picked },
    ];
  },
  evaluate: ([x, k], node) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), x!.dims.length)!;
    const sign = attribute(node, 'largest', 'int', 1) === 1 ? 1 : -1;
    const [count, extent, inner] = [k!.data[0], x!.dims[axis], elementCount(x!.dims.slice(axis + 1))];
    const dims = x!.dims.map((dim, at) => (at === axis ? count : dim));
    const values = emptyLike(x!, dims);
    const places = new Float64Array(values.data.length);
    for (let line = 0; line < x!.data.length / extent; line++) {
      const at = (place: number, length: number) =>
        Math.floor(line / inner) * length * inner + place * inner + (line % inner);
      const element = (place: number) => x!.data[at(place, extent)];
      const order = Array.from({ length: extent }, (_, place) => place);
      // A NaN comes last; Array.sort keeps the order of equal ones.
      const rank = (value: number) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : sign * value);
      order.sort(
        (a, b) =>
          Number(Number.isNaN(element(a))) - Number(Number.isNaN(element(b))) ||
          compare(rank(element(b)), rank(element(a))),
      );
      for (let i = 0; i < count; i++) {
        values.data[at(i, count)] = element(order[i]);
        places[at(i, count)] = order[i];
      }
    }
    return [values, { type: 'int64', dims, data: places }];
  },
  most: ({ inputs: [x] }) => [knownDims(x?.shape), knownDims(x?.shape)],
  cost: inputCost,
  lower: ({ node, inputs: [x], constant }) => {
    const axis = x?.shape && normalizeAxis(attribute(node, 'axis', 'int', -1), x.shape.length);
    const k = constant(1);
    if (axis === undefined) return problem(node, 'not-lowered', 'the rank is unknown');
    const count = k && toNumbers(k)[0];
    return { kernel: 'top-k', axis, count, smallest: attribute(node, 'largest', 'int', 1) !== 1 };
  },
};

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
