import { attribute } from '../../ir/attribute';
import type { Dim, Node } from '../../ir/graph';
import { rankFrom, unknownDim, unknownShape } from '../axes';
import { reshaping } from '../coupling';
import { divideExactly, productOfDims } from '../dims';
import type { Operator } from '../operator';
import { RELABEL, relabelled, withDims } from '../relabel';
import { EVERY_TYPE, problem, required } from '../schema';

/** The same elements under the shape given as second input: 0 keeps an extent (unless `allowzero`), one -1 takes the rest. */
export const reshape: Operator = {
  op: 'Reshape',
  traits: ['relabels'],
  domain: '',
  since: 21,
  schema: {
    inputs: [required('data', EVERY_TYPE), required('shape', ['int64'])],
    outputs: [required('reshaped', EVERY_TYPE)],
    attributes: { allowzero: { kind: 'int' } },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const target = context.partial(1);
    if (!target) {
      const rank = rankFrom(inputs[1]!);
      return relabelled(context, rank === undefined ? undefined : unknownShape(node.outputs[0], rank));
    }
    const shape = resolve(node, inputs[0]!.shape, target);
    if (typeof shape === 'string') return problem(node, 'shape-mismatch', shape);
    return relabelled(context, shape);
  },
  evaluate: ([data, target], node) => {
    const dims = resolve(node, data!.dims, Array.from(target!.data));
    if (typeof dims === 'string') throw new RangeError(`${node.name}: ${dims}`);
    return withDims(data!, dims as number[]);
  },
  ...RELABEL,
  coupling: reshaping,
};

/** Output shape, or what is wrong with the target. */
function resolve(
  node: Node,
  input: readonly Dim[] | undefined,
  target: readonly (Dim | undefined)[],
): readonly Dim[] | string {
  const keepZero = attribute(node, 'allowzero', 'int', 0) !== 0;
  const described = `[${input}] cannot take the shape [${target}]`;
  const dims = target.map((dim, axis): Dim | undefined => (dim === 0 && !keepZero ? input?.[axis] : dim));
  if (target.some((dim, axis) => dim === 0 && !keepZero && input && axis >= input.length)) return described;
  const open = dims.indexOf(-1);
  if (open !== dims.lastIndexOf(-1)) return `more than one -1 in [${target}]`;
  const others = dims.filter((_, axis) => axis !== open);
  if (others.some((dim) => dim === undefined) || !input)
    return dims.map((dim, axis) => (dim === undefined || dim === -1 ? unknownDim(node.outputs[0], axis) : dim));
  const total = productOfDims(input);
  const taken = productOfDims(others as Dim[]);
  if (open < 0) {
    const wrong = typeof total === 'number' && typeof taken === 'number' && total !== taken;
    return wrong ? described : (dims as Dim[]);
  }
  const rest = total === 0 && taken === 0 ? 0 : divideExactly(total, taken);
  if (rest === undefined && typeof total === 'number' && typeof taken === 'number') return described;
  return dims.map((dim, axis) => (axis === open ? (rest ?? unknownDim(node.outputs[0], axis)) : dim!));
}
