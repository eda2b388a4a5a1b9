import { elementCount } from '../../ir/tensor';
import { combine } from '../binary';
import { broadcastShapes } from '../broadcast';
import { elementCost } from '../cost';
import { elementwise } from '../coupling';
import { toDense } from '../dense';
import { castTo, formulas, sumToOperands } from '../gradients';
import type { EngineFunction, KernelCall } from '../kernel-call';
import type { GradientContext, LowerContext, Operator } from '../operator';
import { FLOATS, NUMBERS, problem, required } from '../schema';

const BASES = [...FLOATS, 'int32', 'int64'] as const;

/** `base ** exponent` on broadcast tensors; the exponent may have another type, the result has that of the base. */
export const pow: Operator = {
  op: 'Pow',
  domain: '',
  since: 15,
  schema: { inputs: [required('X', BASES), required('Y', NUMBERS)], outputs: [required('Z', BASES)], attributes: {} },
  infer: ({ node, inputs: [base, exponent] }) => {
    const { type } = base!;
    if (!base!.shape || !exponent!.shape) return [{ type, shape: undefined }];
    const shape = broadcastShapes([base!.shape, exponent!.shape]);
    if (shape) return [{ type, shape }];
    return problem(node, 'shape-mismatch', `shapes [${base!.shape}] and [${exponent!.shape}] do not broadcast`);
  },
  evaluate: ([base, exponent], _node, precision) => [combine(base!, exponent!, base!.type, power, precision)],
  gradient: powGradient,
  coupling: elementwise,
  cost: elementCost,
  quantization: { inputs: [{ role: 'none' }, { role: 'none' }], output: 'float' },
  lower: lowerPow,
};

/** IEEE 754-2019 `pow`: unlike JavaScript's, 1 to any power is 1, and so is -1 to an infinite one. */
function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;
}

/** What the engine has for powers that models are full of: exact, and much faster. */
const COMMON: ReadonlyMap<number, EngineFunction> = new Map([
  [2, { operation: 'square' }],
  [3, { operation: 'cube' }],
  [0.5, { operation: 'sqrt' }],
  [-0.5, { operation: 'reciprocal_sqrt' }],
  [-1, { operation: 'reciprocal' }],
]);

/** One constant exponent makes a function of one number, others an operation of two. */
function lowerPow({ inputs: [base, exponent], constant }: LowerContext): KernelCall {
  const known = constant(1);
  const rank = base?.shape?.length ?? 0;
  if (known === undefined || elementCount(known.dims) !== 1 || (exponent?.shape?.length ?? 0) > rank)
    return { kernel: 'binary', operation: 'power' };
  const [alpha] = toDense(known, 'float32').data;
  if (alpha === 1) return { kernel: 'reshape' };
  const table = (x: number) => Math.fround(power(Math.fround(x), alpha));
  return { kernel: 'unary', table, float: COMMON.get(alpha) ?? { operation: 'power', alpha } };
}

/**
 * dx = dy * e * x^(e - 1) and de = dy * z * ln(x); the latter counts as 0 where x is 0, and is NaN below. Squares, which
 * normalizations are full of, take one product.
 */
function powGradient(context: GradientContext): readonly (string | undefined)[] {
  const { node, emit, outputGradients } = context;
  const [x, exponent] = node.inputs;
  const dy = outputGradients[0]!;
  const f = formulas(emit);
  const constant = emit.constantOf(exponent);
  const known = constant?.dims.every((dim) => dim === 1) ? toDense(constant, 'float64').data[0] : undefined;
  const slope = () => {
    if (known === 2) return f('Mul', x, 2);
    if (known === 0.5) return f('Div', 0.5, node.outputs[0]);
    if (known !== undefined) return f('Mul', f('Pow', x, known - 1), known);
    const power = castTo(emit, exponent, emit.typeOf(x).type);
    return f('Mul', f('Pow', x, f('Sub', power, 1)), power);
  };
  const logarithm = () => f('Where', f('Equal', x, 0), 0, f('Mul', node.outputs[0], f('Log', x)));
  return sumToOperands(
    context,
    () => f('Mul', dy, slope()),
    () => f('Mul', dy, logarithm()),
  );
}
