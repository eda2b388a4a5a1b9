import { attribute } from '../../ir/attribute';
import type { Dim } from '../../ir/graph';
import { productOfDims } from '../dims';
import type { Operator } from '../operator';
import { RELABEL, relabelled, withDims } from '../relabel';
import { EVERY_TYPE, problem, required } from '../schema';

/** Matrix view: the axes before `axis` together, the others together. */
export const flatten: Operator = {
  op: 'Flatten',
  traits: ['relabels'],
  domain: '',
  since: 21,
  schema: {
    inputs: [required('input', EVERY_TYPE)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { axis: { kind: 'int' } },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { shape } = inputs[0]!;
    if (!shape) return relabelled(context, undefined);
    const axis = attribute(node, 'axis', 'int', 1);
    if (axis < -shape.length || axis > shape.length)
      return problem(node, 'bad-axis', `axis ${axis} does not fit shape [${shape}]`);
    return relabelled(context, flattened(shape, axis));
  },
  evaluate: ([input], node) => withDims(input!, flattened(input!.dims, attribute(node, 'axis', 'int', 1)) as number[]),
  ...RELABEL,
};

function flattened(shape: readonly Dim[], axis: number): Dim[] {
  return [productOfDims(shape.slice(0, axis)), productOfDims(shape.slice(axis))];
}
