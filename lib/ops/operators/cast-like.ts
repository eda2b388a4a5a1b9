import { convert } from '../convert';
import { elementCost } from '../cost';
import { elementwise } from '../coupling';
import { castTo } from '../gradients';
import type { Operator } from '../operator';
import { EVERY_TYPE, FLAG, required } from '../schema';

/** The elements of the first input as the type of the second. */
export const castLike: Operator = {
  op: 'CastLike',
  domain: '',
  since: 21,
  schema: {
    inputs: [required('input', EVERY_TYPE), required('target_type', EVERY_TYPE)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { saturate: FLAG },
  },
  infer: ({ inputs: [input, target] }) => [{ type: target!.type, shape: input!.shape }],
  evaluate: ([input, target], _node, precision) => [convert(input!, target!.type, precision)],
  gradient: ({ node, emit, outputGradients }) => [castTo(emit, outputGradients[0]!, emit.typeOf(node.inputs[0]).type)],
  coupling: elementwise,
  cost: elementCost,
  lower: () => ({ kernel: 'cast' }),
};
