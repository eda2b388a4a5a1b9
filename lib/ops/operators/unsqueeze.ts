import type { Dim } from '../../ir/graph';
import { knownNumbers, normalizeAxes } from '../axes';
import { knownDims } from '../dims';
import type { Operator } from '../operator';
import { RELABEL, relabelled, withDims } from '../relabel';
import { EVERY_TYPE, problem, required } from '../schema';
import { attributeToInput } from '../upgrade-steps';

/** Inserts axes of one element; `axes` count in the output. */
export const unsqueeze: Operator = {
  op: 'Unsqueeze',
  traits: ['relabels'],
  domain: '',
  since: 21,
  schema: {
    inputs: [required('data', EVERY_TYPE), required('axes', ['int64'])],
    outputs: [required('expanded', EVERY_TYPE)],
    attributes: {},
  },
  upgrade: (node, from, emit) => [from < 13 ? attributeToInput(node, emit, 'axes', 1) : node],
  infer: (context) => {
    const { node, inputs } = context;
    const { shape } = inputs[0]!;
    const axes = knownNumbers(context, 1);
    if (!shape || !axes) return relabelled(context, undefined);
    const expanded = unsqueezeShape(shape, axes);
    if (!expanded) return problem(node, 'bad-axis', `axes [${axes}] cannot be inserted into shape [${shape}]`);
    return relabelled(context, expanded);
  },
  evaluate: ([data, axes]) => withDims(data!, knownDims(unsqueezeShape(data!.dims, Array.from(axes!.data)))!),
  ...RELABEL,
};

function unsqueezeShape(shape: readonly Dim[], axes: readonly number[]): Dim[] | undefined {
  const inserted = normalizeAxes(axes, shape.length + axes.length);
  if (!inserted) return undefined;
  const rest = [...shape];
  return Array.from({ length: shape.length + axes.length }, (_, axis) => (inserted.includes(axis) ? 1 : rest.shift()!));
}
