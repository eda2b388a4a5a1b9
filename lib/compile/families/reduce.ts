import { HoneError } from '../../core/error';
import { elementCount } from '../../ir/tensor';
import type { OpRule } from '../../plan/op-rule';
import { PLAN_OP_NAMES, PLAN_OPS, type PlanOp } from '../../plan/plan-ops';
import { cutLengths } from '../cut-lengths';
import type { FamilyOf, LayerOf } from '../layer';
import type { Quantization } from '../step';
import { Unsupported } from '../unsupported';
import type { View } from '../view';

/** Engine operations that make one element of several: one of them. */
export type ReduceOp = {
  [O in PlanOp]: (typeof PLAN_OPS)[O] extends { family: 'reduce'; params: undefined } ? O : never;
}[PlanOp];

function isReduction(name: string): name is ReduceOp {
  const rule: OpRule | undefined = PLAN_OPS[name as PlanOp];
  return rule?.family === 'reduce' && rule.params === undefined;
}

/** Those operations, in the order of the table. */
export const REDUCE_OPS: readonly ReduceOp[] = PLAN_OP_NAMES.filter(isReduction);

/** Reductions, by the operations that the operator names. On int8 the result is one of the elements: it keeps their grid. */
export const reduceFamily: FamilyOf<'reduce'> = {
  ops: REDUCE_OPS,
  integer: {
    operands: 'first',
    grid: 'operand',
    lower: (layer, { operands: [x], grid }) => {
      const { integer } = layer.call;
      if (integer === undefined) throw new Unsupported('the engine has a float kernel for it, none for int8');
      return () => emitReduction(layer, integer, x, grid);
    },
  },
  float: { fuses: false, lower: (layer) => emitReduction(layer, layer.call.float, layer.float()) },
};

function emitReduction(layer: LayerOf<'reduce'>, op: string, x: View, grid?: Quantization): View {
  if (!isReduction(op)) throw new HoneError('E_INTERNAL', { message: `'${op}' is no reduction` });
  const { node, call, program } = layer;
  const { source, from, to, reduced } = cutLengths(program, x, call.axes, layer.extents.length);
  const buffer = program.buffer(node.outputs[0], grid ? 'int8' : 'float32', elementCount(to), grid);
  const inputs = [{ buffer: source.buffer, dims: from }];
  program.emit({ name: node.name, op, outputs: [{ buffer, dims: to }], inputs });
  return { buffer, offset: 0, dims: reduced };
}
