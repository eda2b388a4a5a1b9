import { elementCount, toNumbers } from '../../ir/tensor';
import { unknownShape } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import { knownDims, mulDims } from '../dims';
import { dimsOf, reshapeTo, sumOver } from '../gradients';
import type { Emitter, Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';
import { forEachIndex } from '../spatial';
import { rowMajorStrides } from '../strides';

/** The input repeated along each axis as often as `repeats` says. */
export const tile: Operator = {
  op: 'Tile',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('input', EVERY_TYPE), required('repeats', ['int64'])],
    outputs: [required('output', EVERY_TYPE)],
    attributes: {},
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    const repeats = context.partial(1);
    if (!shape) return [{ type, shape }];
    const fresh = unknownShape(node.outputs[0], shape.length);
    if (!repeats) return [{ type, shape: fresh }];
    if (repeats.length !== shape.length)
      return problem(node, 'shape-mismatch', `${repeats.length} repeats do not fit shape [${shape}]`);
    return [
      {
        type,
        shape: shape.map((dim, axis) => {
          const count = repeats[axis];
          return count === undefined ? fresh[axis] : mulDims(dim, count);
        }),
      },
    ];
  },
  evaluate: ([input, repeats]) => {
    const { dims } = input!;
    const result = emptyLike(
      input!,
      dims.map((dim, axis) => dim * repeats!.data[axis]),
    );
    const strides = rowMajorStrides(dims);
    forEachIndex(result.dims, (index, flat) => {
      const at = index.reduce((sum, position, axis) => sum + (position % dims[axis]) * strides[axis], 0);
      result.data[flat] = input!.data[at];
    });
    return [result];
  },
  gradient: ({ node, emit, outputGradients }) => {
    const dims = dimsOf(emit, node.inputs[0]);
    return [dims.reduce((gradient, extent, axis) => sumCopies(emit, gradient, axis, extent), outputGradients[0]!)];
  },
  cost: elementCost,
  quantization: { inputs: [{ role: 'activation' }, { role: 'none' }], output: 'same' },
  lower: ({ node, inputs: [input], constant }) => {
    const [dims, repeats] = [knownDims(input?.shape), constant(1)];
    if (!dims || !repeats) return problem(node, 'not-lowered', 'the shape or the repeats are not constant');
    const counts = toNumbers(repeats);
    const places = dims.map((extent, axis) =>
      counts[axis] === 1 ? undefined : Array.from({ length: extent * counts[axis] }, (_, place) => place % extent),
    );
    return { kernel: 'select', places };
  },
};

/** Sums up the copies of `extent` elements that lie behind each other along `axis`. */
function sumCopies(emit: Emitter, value: string, axis: number, extent: number): string {
  const dims = dimsOf(emit, value);
  if (dims[axis] === extent) return value;
  const [outer, inner] = [dims.slice(0, axis), dims.slice(axis + 1)].map(elementCount);
  const copies = reshapeTo(emit, value, [outer, dims[axis] / extent, extent * inner]);
  return reshapeTo(emit, sumOver(emit, copies, [1]), [...dims.slice(0, axis), extent, ...dims.slice(axis + 1)]);
}
