import { elementCost } from '../cost';
import { elementwise } from '../coupling';
import { emptyLike, toDense } from '../dense';
import { highestOf, lowestOf } from '../extremes';
import { castTo, dimsOf, formulas, sumToShape } from '../gradients';
import type { GradientContext, LowerContext, Operator } from '../operator';
import { NUMBERS, optional, problem, required, typedAs } from '../schema';
import { attributeToInput } from '../upgrade-steps';

/** Elements limited to [min, max]; a bound that is left out does not limit. Where min > max, max wins. */
export const clip: Operator = {
  op: 'Clip',
  traits: ['rectifies', 'squashes'],
  domain: '',
  since: 13,
  schema: {
    inputs: [
      required('input', NUMBERS),
      typedAs(optional('min', NUMBERS), 'input'),
      typedAs(optional('max', NUMBERS), 'input'),
    ],
    outputs: [required('output', NUMBERS)],
    attributes: {},
  },
  upgrade: (node, from, emit) => {
    if (from >= 11) return [node];
    return [attributeToInput(attributeToInput(node, emit, 'min', 1), emit, 'max', 2)];
  },
  infer: ({ inputs: [input] }) => [input!],
  evaluate: ([input, min, max]) => {
    const low = min ? min.data[0] : lowestOf(input!.type);
    const high = max ? max.data[0] : highestOf(input!.type);
    const result = emptyLike(input!, input!.dims);
    for (let i = 0; i < result.data.length; i++) result.data[i] = Math.min(Math.max(input!.data[i], low), high);
    return [result];
  },
  gradient: clipGradient,
  coupling: elementwise,
  cost: elementCost,
  quantization: { inputs: [{ role: 'activation' }, { role: 'none' }, { role: 'none' }], output: 'own' },
  lower: (context) => {
    const bounds = clipBounds(context);
    if (bounds === undefined) return { kernel: 'limit' };
    if (bounds.some(Number.isNaN)) return problem(context.node, 'not-lowered', 'a bound is not a number');
    const [low, high] = bounds;
    const table = (x: number) => Math.min(Math.max(Math.fround(x), low), high);
    return { kernel: 'unary', table, clamp: bounds };
  },
};

/** Elements that were not limited pass their gradient on; a bound gets the gradients of all elements that it holds. */
function clipGradient({ node, emit, outputGradients, wants }: GradientContext): (string | undefined)[] {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const f = formulas(emit);
  const where = (comparison: string) => f('Mul', outputGradients[0]!, castTo(emit, f(comparison, x, y), 'float32'));
  const bound = (index: number, comparison: string) =>
    wants(index) ? sumToShape(emit, where(comparison), dimsOf(emit, node.inputs[index])) : undefined;
  return [wants(0) ? where('Equal') : undefined, bound(1, 'Less'), bound(2, 'Greater')];
}

/** Constant bounds of a Clip node, infinite where left out; undefined when one is computed at run time. */
export function clipBounds({ node, constant }: Pick<LowerContext, 'node' | 'constant'>): [number, number] | undefined {
  const [low, high] = [1, 2].map((index) => {
    if (!node.inputs[index]) return index === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    const tensor = constant(index);
    return tensor && toDense(tensor, 'float32').data[0];
  });
  if (low === undefined || high === undefined) return undefined;
  return [low, high];
}
