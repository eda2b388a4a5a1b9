import { asColumn, castTo, dimsOf, formulas, reducesNothing, sumToShape } from './gradients';
import type { Emitter, GradientContext } from './operator';

/** Gradient of Max and Min: each element's goes to the operand that it came from, the first one of equal operands. */
export function extremeOperandGradient({
  node,
  emit,
  outputGradients,
  wants,
}: GradientContext): (string | undefined)[] {
  const [dy, [y]] = [outputGradients[0]!, node.outputs];
  const f = formulas(emit);
  const last = node.inputs.length - 1;
  let taken: string | undefined;
  return node.inputs.map((input, index) => {
    const share = (gradient: string) => (wants(index) ? sumToShape(emit, gradient, dimsOf(emit, input)) : undefined);
    if (index === last) return share(taken === undefined ? dy : f('Where', taken, 0, dy));
    const here = f('Equal', input, y);
    const mine = taken === undefined ? here : f('And', here, f('Not', taken));
    taken = taken === undefined ? here : f('Or', taken, here);
    return share(f('Where', mine, dy, 0));
  });
}

/** Gradient of ReduceMax and ReduceMin. */
export function reducedExtremeGradient(context: GradientContext): readonly string[] {
  const { node, emit, outputGradients } = context;
  const dy = outputGradients[0]!;
  if (reducesNothing(context)) return [dy];
  const [y, column] = [node.outputs[0], dy].map((value) => asColumn(context, value));
  const axes = (node.inputs[1] ?? '') === '' ? [] : [node.inputs[1]];
  return [toExtremes(emit, node.inputs[0], y, column, axes)];
}

/**
 * Hands `dy` to the elements of `x` that equal the extreme `y` of their group, in equal shares. `y` and `dy` have one element
 * along the reduced axes; `axes` is the axes input of a reduction, left out for all axes.
 */
export function toExtremes(emit: Emitter, x: string, y: string, dy: string, axes: readonly string[]): string {
  const f = formulas(emit);
  const mask = castTo(emit, f('Equal', x, y), 'float32');
  const count = emit.node('ReduceSum', [mask, ...axes], { keepdims: 1 });
  return f('Mul', mask, f('Div', dy, count));
}
