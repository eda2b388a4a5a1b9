import { GraphBuilder } from '../../lib/ir/builder';
import { OPERATORS } from '../../lib/ops';
import type { KernelCall } from '../../lib/ops/kernel-call';
import type { Operator } from '../../lib/ops/operator';

/** What the engine would compute a float32 node without attributes with; undefined where that is not said by a name. */
export function callOf({ op, lower, schema }: Operator): KernelCall | undefined {
  if (Object.values(schema.attributes).some(({ required }) => required)) return undefined;
  const required = schema.inputs.flatMap(({ name, presence = 'required' }) =>
    presence === 'required' ? [name] : presence === 'variadic' ? [name, name] : [],
  );
  const type = { type: 'float32', shape: [2, 3] } as const;
  const b = new GraphBuilder();
  b.node(op, required, {}, { outputs: ['y'] });
  const [node] = b.build().nodes;
  const call = lower?.({ node, inputs: required.map(() => type), outputs: [type], constant: () => undefined });
  return call && 'kernel' in call ? call : undefined;
}

/** Functions of one number that the engine computes in float, but for those that jump or have poles; in the order of the table. */
export const BENDS: readonly string[] = OPERATORS.filter((operator) => {
  const call = callOf(operator);
  const function_ = call?.kernel === 'unary' ? call.float?.operation : undefined;
  return (
    function_ !== undefined &&
    !/^(sign|floor|ceil|round|sqrt|log|exp|reciprocal|a?(sin|cos|tan)h?|shrink|thresholded_relu)$/.test(function_)
  );
}).map(({ op }) => op);

/** Operators that the engine reduces by, on int8 too; in the order of the table. */
export const REDUCTIONS: readonly string[] = OPERATORS.filter((operator) => {
  const call = callOf(operator);
  return call?.kernel === 'reduce' && call.integer !== undefined;
}).map(({ op }) => op);
