import type { Operator } from '../operator';
import { RELABEL, relabelled } from '../relabel';
import { EVERY_TYPE, required } from '../schema';

/** Its input. */
export const identity: Operator = {
  op: 'Identity',
  traits: ['homogeneous', 'relabels'],
  domain: '',
  since: 21,
  schema: { inputs: [required('input', EVERY_TYPE)], outputs: [required('output', EVERY_TYPE)], attributes: {} },
  infer: (context) => relabelled(context, context.inputs[0]!.shape),
  evaluate: ([input]) => [input!],
  ...RELABEL,
};
