import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { hasInput, knownNumbers, normalizeAxis, unknownDim } from '../axes';
import { elementCost } from '../cost';
import { splitting } from '../coupling-shapes';
import { divideExactly } from '../dims';
import { dimsOf, zerosOf } from '../gradients';
import type { Operator } from '../operator';
import { EVERY_TYPE, optional, problem, required, variadic } from '../schema';
import { readStrided, rowMajorStrides } from '../strides';
import { attributeToInput, withAttributes } from '../upgrade-steps';

/** Pieces along `axis`: of the lengths given as second input, or `num_outputs` equal ones (the last may be shorter). */
export const split: Operator = {
  op: 'Split',
  domain: '',
  since: 18,
  schema: {
    inputs: [required('input', EVERY_TYPE), optional('split', ['int64'])],
    outputs: [variadic('outputs', EVERY_TYPE)],
    attributes: { axis: { kind: 'int' }, num_outputs: { kind: 'int' } },
  },
  upgrade: (node, from, emit) => {
    const moved = from < 13 ? attributeToInput(node, emit, 'split', 1) : node;
    if (from >= 18 || (moved.inputs[1] ?? '') !== '') return [moved];
    return [withAttributes(moved, new Map([['num_outputs', { kind: 'int', value: node.outputs.length }]]))];
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    if (!shape) return node.outputs.map(() => ({ type, shape: undefined }));
    const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), shape.length);
    if (axis === undefined) return problem(node, 'bad-axis', `axis does not fit shape [${shape}]`);
    const extent = shape[axis];
    const lengths = hasInput(context, 1)
      ? knownNumbers(context, 1)
      : typeof extent === 'number'
        ? equalLengths(extent, node)
        : undefined;
    if (lengths && typeof extent === 'number' && lengths.reduce((sum, n) => sum + n, 0) !== extent)
      return problem(node, 'shape-mismatch', `pieces [${lengths}] do not fill extent ${extent}`);
    const elements = shape.length === 1 ? context.partial(0) : undefined;
    let start = 0;
    return node.outputs.map((output, i) => {
      const symbolic = hasInput(context, 1) ? undefined : divideExactly(extent, node.outputs.length);
      const dim = lengths?.[i] ?? symbolic ?? unknownDim(output, axis);
      const partial = lengths && elements?.slice(start, start + lengths[i]);
      start += lengths?.[i] ?? 0;
      return { type, shape: shape.map((old, at) => (at === axis ? dim : old)), partial };
    });
  },
  evaluate: ([input, lengths], node) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), input!.dims.length)!;
    const strides = rowMajorStrides(input!.dims);
    const pieces = lengths ? Array.from(lengths.data) : equalLengths(input!.dims[axis], node);
    let start = 0;
    return pieces.map((length) => {
      const dims = input!.dims.map((dim, at) => (at === axis ? length : dim));
      const piece = readStrided(input!, dims, strides, start * strides[axis]);
      start += length;
      return piece;
    });
  },
  coupling: splitting,
  gradient: ({ node, emit, outputGradients }) => {
    const parts = node.outputs.map((output, index) => outputGradients[index] ?? zerosOf(emit, dimsOf(emit, output)));
    return [emit.node('Concat', parts, { axis: attribute(node, 'axis', 'int', 0) })];
  },
  cost: elementCost,
  lower: ({ node, inputs, outputs }) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), inputs[0]!.shape!.length)!;
    return { kernel: 'split', axis, lengths: outputs.map((output) => output!.shape![axis] as number) };
  },
  quantization: { inputs: [{ role: 'activation' }, { role: 'none' }], output: 'same' },
};

function equalLengths(extent: number, node: Node): number[] {
  const count = node.outputs.length;
  const length = Math.ceil(extent / count);
  return node.outputs.map((_, i) => Math.max(0, Math.min(length, extent - i * length)));
}
