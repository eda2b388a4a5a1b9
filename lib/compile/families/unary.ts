import { HoneError } from '../../core/error';
import type { OpRule } from '../../plan/op-rule';
import { PLAN_OP_NAMES, PLAN_OPS, type PlanOp } from '../../plan/plan-ops';
import { composeBounds, floatClamp, NO_BOUNDS } from '../grid';
import type { FamilyOf } from '../layer';
import { stepName } from '../step';
import { Unsupported } from '../unsupported';
import { moveView } from '../view';
import { lookUp } from './look-up';

/** Float operations of one input and fused bounds. */
type UnaryOp = {
  [O in PlanOp]: (typeof PLAN_OPS)[O] extends { inputs: readonly ['x']; params: 'clamp'; domain: 'float' } ? O : never;
}[PlanOp];

function isUnary(name: string): name is UnaryOp {
  const rule: OpRule | undefined = PLAN_OPS[name as PlanOp];
  return rule?.inputs.join() === 'x' && rule.params === 'clamp' && rule.domain === 'float';
}

/** Functions of one number: a table between int8 grids; in float the operation that the operator names. */
export const unaryFamily: FamilyOf<'unary'> = {
  ops: ['lut_s8', ...PLAN_OP_NAMES.filter(isUnary)],
  integer: {
    operands: 'first',
    grid: 'result',
    lower:
      ({ node, call, tail, program }, { operands: [x], grid }) =>
      () => {
        const [low, high] = tail.bounds;
        return lookUp(program, stepName(node, tail), x, tail.quantize!.value, grid, (real) =>
          Math.min(Math.max(call.table(real), low), high),
        );
      },
  },
  float: {
    fuses: true,
    lower: (layer) => {
      const { node, call, tail, program } = layer;
      const { float: op, clamp = NO_BOUNDS } = call;
      if (op === undefined) throw new Unsupported('the engine has an int8 kernel for it, none for float');
      if (!isUnary(op)) throw new HoneError('E_INTERNAL', { message: `'${op}' is no float operation of one input` });
      const source = program.dense(layer.float());
      const buffer = program.buffer(tail.value, 'float32', source.buffer.count);
      const dims = [buffer.count];
      program.emit({
        name: stepName(node, tail),
        op,
        outputs: [{ buffer, dims }],
        inputs: [{ buffer: source.buffer, dims }],
        params: floatClamp(composeBounds(clamp, tail.bounds)),
      });
      return moveView(source, buffer);
    },
  },
};
