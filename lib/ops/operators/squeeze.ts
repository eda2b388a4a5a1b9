import type { Dim } from '../../ir/graph';
import { hasInput, knownNumbers, normalizeAxes } from '../axes';
import type { Operator } from '../operator';
import { RELABEL, relabelled, withDims } from '../relabel';
import { EVERY_TYPE, optional, problem, required } from '../schema';
import { attributeToInput } from '../upgrade-steps';

/** Removes the given axes of one element each; without axes, all of those. */
export const squeeze: Operator = {
  op: 'Squeeze',
  traits: ['relabels'],
  domain: '',
  since: 21,
  schema: {
    inputs: [required('data', EVERY_TYPE), optional('axes', ['int64'])],
    outputs: [required('squeezed', EVERY_TYPE)],
    attributes: {},
  },
  upgrade: (node, from, emit) => [from < 13 ? attributeToInput(node, emit, 'axes', 1) : node],
  infer: (context) => {
    const { node, inputs } = context;
    const { shape } = inputs[0]!;
    const axes = hasInput(context, 1) ? knownNumbers(context, 1) : [];
    if (!shape || !axes) return relabelled(context, undefined);
    // An extent that is only a symbol may be 1 or not: which axes go is then unknown.
    if (!hasInput(context, 1) && shape.some((dim) => typeof dim === 'string')) return relabelled(context, undefined);
    const squeezed = squeezeShape(shape, hasInput(context, 1) ? axes : undefined);
    if (!squeezed) return problem(node, 'bad-axis', `axes [${axes}] cannot be removed from shape [${shape}]`);
    return relabelled(context, squeezed);
  },
  evaluate: ([data, axes]) => withDims(data!, squeezeShape(data!.dims, axes && Array.from(axes.data)) as number[]),
  ...RELABEL,
};

function squeezeShape(shape: readonly Dim[], axes: readonly number[] | undefined): Dim[] | undefined {
  if (!axes) return shape.filter((dim) => dim !== 1);
  const removed = normalizeAxes(axes, shape.length);
  if (!removed || removed.some((axis) => typeof shape[axis] === 'number' && shape[axis] !== 1)) return undefined;
  return shape.filter((_, axis) => !removed.includes(axis));
}
