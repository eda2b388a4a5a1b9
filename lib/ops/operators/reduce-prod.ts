import { productOfDims } from '../dims';
import { asColumn, castTo, formulas, reducesNothing } from '../gradients';
import type { GradientContext, Operator } from '../operator';
import { engineAccumulation, reduction } from '../reduction';
import { FLOATS } from '../schema';

/** Product over axes. */
export const reduceProd: Operator = {
  ...reduction({
    op: 'ReduceProd',
    since: 18,
    axesInputSince: 18,
    types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
    start: () => 1,
    step: (product, x) => product * x,
    ofDims: productOfDims,
  }),
  ...engineAccumulation('product'),
  gradient: productGradient,
};

/**
 * dx = dy * product of the other elements. That is y / x without zeros; elements are divided by only where they are not zero,
 * and a zero leaves the others nothing.
 */
function productGradient(context: GradientContext): readonly string[] {
  const { node, emit, outputGradients } = context;
  if (reducesNothing(context)) return [outputGradients[0]!];
  const x = node.inputs[0];
  const axes = (node.inputs[1] ?? '') === '' ? [] : [node.inputs[1]];
  const f = formulas(emit);
  const isZero = f('Equal', x, 0);
  const zeroes = castTo(emit, isZero, 'float32');
  const factors = f('Where', isZero, 1, x);
  const others = f('Div', emit.node('ReduceProd', [factors, ...axes], { keepdims: 1 }), factors);
  const otherZeroes = f('Sub', emit.node('ReduceSum', [zeroes, ...axes], { keepdims: 1 }), zeroes);
  const product = f('Where', f('Equal', otherZeroes, 0), others, 0);
  return [f('Mul', asColumn(context, outputGradients[0]!), product)];
}
