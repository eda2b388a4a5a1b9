import { attribute } from '../../ir/attribute';
import type { Dim, Node } from '../../ir/graph';
import { elementCount, toNumbers } from '../../ir/tensor';
import { hasInput, normalizeAxis, unknownDim } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import { knownDims } from '../dims';
import { fourierMatrix, fourierSum, hasMatrix, onesidedExtent, requireTransform } from '../fourier';
import type { Operator } from '../operator';
import { FLOATS, INDEX_TYPES, optional, problem, required } from '../schema';
import { attributeToInput, withAttributes } from '../upgrade-steps';

/** Discrete Fourier transform along an axis; the last axis has the real part, or real and imaginary part. */
export const dft: Operator = {
  op: 'DFT',
  domain: '',
  since: 20,
  schema: {
    inputs: [required('input', FLOATS), optional('dft_length', INDEX_TYPES), optional('axis', ['int64'])],
    outputs: [required('output', FLOATS)],
    attributes: { inverse: { kind: 'int' }, onesided: { kind: 'int' } },
  },
  upgrade: (node, from, emit) => {
    if (from >= 20) return [node];
    const axis = { kind: 'int', value: attribute(node, 'axis', 'int', 1) } as const;
    return [attributeToInput(withAttributes(node, new Map([['axis', axis]])), emit, 'axis', 2)];
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    if (isFlag(node, 'inverse') && isFlag(node, 'onesided'))
      return problem(node, 'unsupported-attribute', 'inverse and onesided together are not supported');
    if (!shape) return [{ type, shape }];
    const given = hasInput(context, 2) ? context.partial(2)?.[0] : -2;
    const axis = typeof given === 'number' ? normalizeAxis(given, shape.length) : undefined;
    if (typeof given === 'number' && (axis === undefined || axis === shape.length - 1))
      return problem(node, 'bad-axis', `axis ${given} does not fit shape [${shape}]`);
    if (axis === undefined)
      return [{ type, shape: [...shape.slice(0, -1).map((_, at) => unknownDim(node.outputs[0], at)), 2] }];
    const length: Dim = hasInput(context, 1)
      ? (context.partial(1)?.[0] ?? unknownDim(node.outputs[0], axis))
      : shape[axis];
    if (typeof length === 'number' && length < 1)
      return problem(node, 'shape-mismatch', `expected a transform of at least one element, found ${length}`);
    const extent = isFlag(node, 'onesided') ? onesidedExtent(length) : length;
    return [{ type, shape: [...shape.slice(0, -1), 2].map((dim, at) => (at === axis ? extent : dim)) }];
  },
  evaluate: ([input, lengthInput, axisInput], node) => {
    const { dims, data } = input!;
    const axis = normalizeAxis(axisInput ? axisInput.data[0] : -2, dims.length);
    if (axis === undefined) throw new RangeError(`${node.name}: the axis does not fit [${dims}]`);
    const length = lengthInput ? lengthInput.data[0] : dims[axis];
    const extent = isFlag(node, 'onesided') ? Math.floor(length / 2) + 1 : length;
    const parts = dims[dims.length - 1];
    const inner = elementCount(dims.slice(axis + 1, -1));
    const outer = elementCount(dims.slice(0, axis));
    requireTransform(outer * inner * extent, length);
    const result = emptyLike(
      input!,
      [...dims.slice(0, -1), 2].map((dim, at) => (at === axis ? extent : dim)),
    );
    for (let row = 0; row < outer; row++)
      for (let column = 0; column < inner; column++) {
        // Beyond the input there are zeros.
        const at = (n: number, part: number) =>
          n < dims[axis] && part < parts ? data[((row * dims[axis] + n) * inner + column) * parts + part] : 0;
        for (let k = 0; k < extent; k++) {
          const sum = fourierSum(
            (n) => at(n, 0),
            (n) => at(n, 1),
            k,
            length,
            isFlag(node, 'inverse'),
          );
          const place = ((row * extent + k) * inner + column) * 2;
          result.data[place] = sum.real;
          result.data[place + 1] = sum.imaginary;
        }
      }
    return [result];
  },
  cost: elementCost,
  lower: ({ node, inputs: [input], constant }) => {
    const dims = knownDims(input?.shape);
    const given = [1, 2].map((index) => (node.inputs[index] ? constant(index) : null));
    if (!dims || given.includes(undefined))
      return problem(node, 'not-lowered', 'the shape, the length or the axis are not constant');
    const [lengths, axes] = given.map((tensor) => tensor && toNumbers(tensor));
    const axis = normalizeAxis(axes ? axes[0] : -2, dims.length);
    if (axis === undefined) return problem(node, 'bad-axis', `axis ${axes} does not fit shape [${dims}]`);
    const length = lengths ? lengths[0] : dims[axis];
    const frequencies = isFlag(node, 'onesided') ? Math.floor(length / 2) + 1 : length;
    const [terms, parts] = [Math.min(length, dims[axis]), dims[dims.length - 1]];
    const transform = { length, terms, parts, frequencies, inverse: isFlag(node, 'inverse') };
    if (!hasMatrix(transform)) return problem(node, 'not-lowered', `transforms of ${length} elements have no kernel`);
    const matrix = () => fourierMatrix(transform);
    return { kernel: 'fourier', axis, parts, terms, frequencies, matrix };
  },
};

function isFlag(node: Node, name: 'inverse' | 'onesided'): boolean {
  return attribute(node, name, 'int', 0) !== 0;
}
