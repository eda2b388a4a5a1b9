import { attribute } from '../../ir/attribute';
import { toNumbers } from '../../ir/tensor';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import type { Operator } from '../operator';
import { EVERY_TYPE, optional, problem, required } from '../schema';

/** Upper (or lower) triangle of the last two axes from diagonal `k` on; zero elsewhere. */
export const trilu: Operator = {
  op: 'Trilu',
  domain: '',
  since: 14,
  schema: {
    inputs: [required('input', EVERY_TYPE), optional('k', ['int64'])],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { upper: { kind: 'int' } },
  },
  infer: ({ node, inputs: [input] }) => {
    if (input!.shape && input!.shape.length < 2)
      return problem(node, 'shape-mismatch', `expected a matrix, found shape [${input!.shape}]`);
    return [{ type: input!.type, shape: input!.shape }];
  },
  evaluate: ([input, k], node) => {
    const upper = attribute(node, 'upper', 'int', 1) !== 0;
    const diagonal = k?.data[0] ?? 0;
    const [rows, columns] = input!.dims.slice(-2);
    const result = emptyLike(input!, input!.dims);
    for (let i = 0; i < result.data.length; i++) {
      const distance = (i % columns) - (Math.floor(i / columns) % rows);
      if (upper ? distance >= diagonal : distance <= diagonal) result.data[i] = input!.data[i];
    }
    return [result];
  },
  gradient: ({ node, emit, outputGradients }) => [
    emit.node('Trilu', [outputGradients[0]!, ...node.inputs.slice(1)], { upper: attribute(node, 'upper', 'int', 1) }),
  ],
  cost: elementCost,
  quantization: { inputs: [{ role: 'activation' }, { role: 'none' }], output: 'same' },
  lower: ({ node, constant }) => {
    const k = node.inputs[1] ? constant(1) : undefined;
    if (node.inputs[1] && !k) return problem(node, 'not-lowered', 'the diagonal is not constant');
    const upper = attribute(node, 'upper', 'int', 1) !== 0;
    return { kernel: 'triangle', upper, diagonal: k ? toNumbers(k)[0] : 0 };
  },
};
