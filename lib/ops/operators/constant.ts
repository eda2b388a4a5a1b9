import type { Node } from '../../ir/graph';
import { type Tensor, tensorFrom } from '../../ir/tensor';
import { noCost } from '../cost';
import { toDense } from '../dense';
import type { Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';

/** The value of one of its attributes. */
export const constant: Operator = {
  op: 'Constant',
  domain: '',
  since: 21,
  schema: {
    inputs: [],
    outputs: [required('output', EVERY_TYPE)],
    attributes: {
      value: { kind: 'tensor' },
      value_float: { kind: 'float' },
      value_floats: { kind: 'floats' },
      value_int: { kind: 'int' },
      value_ints: { kind: 'ints' },
      value_string: { kind: 'string' },
      value_strings: { kind: 'strings' },
    },
  },
  infer: ({ node }) => {
    const tensor = constantTensor(node);
    if (tensor) return [{ type: tensor.type, shape: tensor.dims }];
    const strings = node.attributes.get('value_strings');
    if (strings?.kind === 'strings') return [{ type: 'string', shape: [strings.value.length] }];
    if (node.attributes.has('value_string')) return [{ type: 'string', shape: [] }];
    return problem(node, 'missing-attribute', 'no value is given');
  },
  evaluate: (_inputs, node, precision) => [toDense(constantTensor(node)!, precision)],
  cost: noCost,
};

/** The numeric tensor that a Constant node stands for; undefined for strings and for nodes without a value. */
export function constantTensor(node: Node): Tensor | undefined {
  for (const [name, entry] of node.attributes) {
    if (name === 'value' && entry.kind === 'tensor') return entry.value;
    if (name === 'value_float' && entry.kind === 'float') return tensorFrom('float32', [], [entry.value]);
    if (name === 'value_floats' && entry.kind === 'floats')
      return tensorFrom('float32', [entry.value.length], entry.value);
    if (name === 'value_int' && entry.kind === 'int') return tensorFrom('int64', [], [entry.value]);
    if (name === 'value_ints' && entry.kind === 'ints') return tensorFrom('int64', [entry.value.length], entry.value);
  }
  return undefined;
}
