import { attribute } from '../../ir/attribute';
import { binary, combine } from '../binary';
import { isFloat } from '../dense';
import { formulas, sumToOperands } from '../gradients';
import type { InferContext, Operator } from '../operator';
import { problem } from '../schema';

const family = binary({ op: 'Mod', since: 13, attributes: { fmod: { kind: 'int' } }, of: flooredRemainder });

/** Remainder of two broadcast tensors: with the sign of the divisor, or of the dividend when `fmod` (needed for floats). */
export const mod: Operator = {
  ...family,
  // Elements are followed for the floored form only; extents are never divided by fmod.
  infer: (context) => family.infer(attribute(context.node, 'fmod', 'int', 0) ? withoutPartial(context) : context),
  evaluate: ([a, b], node, precision) => {
    const truncated = attribute(node, 'fmod', 'int', 0) !== 0;
    return [combine(a!, b!, a!.type, truncated ? (x, y) => x % y : flooredRemainder, precision)];
  },
  lower: ({ node, inputs }) => {
    const truncated = attribute(node, 'fmod', 'int', 0) !== 0;
    if (isFloat(inputs[0]!.type))
      return truncated
        ? { kernel: 'binary', operation: 'remainder' }
        : problem(node, 'not-lowered', 'floats have a remainder with fmod alone');
    return { kernel: 'integer', operation: truncated ? 'remainder' : 'modulo' };
  },
  // y = a - b * q with a whole q, which moves only at jumps
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const [a, b] = node.inputs;
    const f = formulas(emit);
    const quotient = () => f('Round', f('Div', f('Sub', a, node.outputs[0]), b));
    return sumToOperands(
      context,
      () => outputGradients[0]!,
      () => f('Neg', f('Mul', outputGradients[0]!, quotient())),
    );
  },
};

function flooredRemainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

function withoutPartial(context: InferContext): InferContext {
  return { ...context, partial: () => undefined };
}
