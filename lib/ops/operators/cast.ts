import { attribute } from '../../ir/attribute';
import { typeOfCode } from '../../ir/element-type';
import { followed } from '../axes';
import { convert } from '../convert';
import { elementCost } from '../cost';
import { elementwise } from '../coupling';
import { castTo } from '../gradients';
import type { Operator } from '../operator';
import { EVERY_TYPE, FLAG, problem, required } from '../schema';

/** The elements as the type that attribute `to` names. */
export const cast: Operator = {
  op: 'Cast',
  traits: ['relabels'],
  domain: '',
  since: 21,
  schema: {
    inputs: [required('input', EVERY_TYPE)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { to: { kind: 'int', required: true }, saturate: FLAG },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const code = attribute(node, 'to', 'int');
    const type = typeOfCode(code);
    if (!type) return problem(node, 'unknown-type', `element type ${code} is not supported`);
    return [
      { type, shape: inputs[0]!.shape, partial: type === 'bool' ? undefined : followed(context.partial(0), type) },
    ];
  },
  evaluate: ([input], node, precision) => [convert(input!, typeOfCode(attribute(node, 'to', 'int'))!, precision)],
  gradient: ({ node, emit, outputGradients }) => [castTo(emit, outputGradients[0]!, emit.typeOf(node.inputs[0]).type)],
  coupling: elementwise,
  cost: elementCost,
  lower: () => ({ kernel: 'cast' }),
};
