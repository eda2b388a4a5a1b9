import { HoneError } from '../../core/error';
import { elementCount } from '../../ir/tensor';
import type { OpRule } from '../../plan/op-rule';
import { PLAN_OP_NAMES, PLAN_OPS, type PlanOp } from '../../plan/plan-ops';
import { cutLengths } from '../cut-lengths';
import type { FamilyOf, LayerOf } from '../layer';
import type { Quantization } from '../step';
import { Unsupported } from '../unsupported';
import { naturalOrder, plainView, type View } from '../view';
import { castView } from './cast';

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
  ops: [...REDUCE_OPS, 'top_k', 'cast'],
  integer: {
    operands: 'first',
    grid: 'operand',
    lower: (layer, { operands: [x], grid }) => {
      const { integer } = layer.call;
      if (integer === undefined) throw new Unsupported('the engine has a float kernel for it, none for int8');
      return () => emitReduction(layer, integer, x, grid);
    },
  },
  float: {
    fuses: false,
    types: ['int32', 'int64', 'int8', 'uint8', 'bool'],
    lower: (layer) =>
      layer.isReal ? emitReduction(layer, layer.call.float, layer.float()) : reduceIntegers(layer, layer.plain()),
  },
};

/** An extreme of integers: the best one of each row. Truths go by way of numbers. */
function reduceIntegers(layer: LayerOf<'reduce'>, x: View): View {
  const { node, call, program, type, extents } = layer;
  if (type === 'bool') {
    const part = (name: string) => ({ program, name: `${node.name}:${name}`, value: `${node.name}:${name}`, extents });
    return castView(part('truths'), bestOfRows(layer, castView(part('numbers'), x, 'int32')), 'bool');
  }
  if (call.axes.length === 0) return x;
  return bestOfRows(layer, x);
}

function bestOfRows(layer: LayerOf<'reduce'>, x: View): View {
  const { node, call, program, extents } = layer;
  const kept = naturalOrder(x.dims.length).filter((axis) => !call.axes.includes(axis));
  const source = program.arrange(x, [...kept, ...call.axes]);
  const rows = elementCount(extents);
  const { type } = source.buffer;
  const [buffer, places] = [type, 'int64' as const].map((each, index) =>
    program.buffer(`${node.outputs[0]}${index === 0 ? '' : ':places'}`, each, rows),
  );
  program.emit({
    name: node.name,
    op: 'top_k',
    outputs: [buffer, places].map((each) => ({ buffer: each, dims: [rows, 1] })),
    inputs: [{ buffer: source.buffer, dims: [rows, source.buffer.count / rows] }],
    params: { count: 1, smallest: call.float === 'reduce_min_f32' },
  });
  return plainView(buffer, extents);
}

function emitReduction(layer: LayerOf<'reduce'>, op: string, x: View, grid?: Quantization): View {
  if (!isReduction(op)) throw new HoneError('E_INTERNAL', { message: `'${op}' is no reduction` });
  const { node, call, program } = layer;
  const { source, from, to, reduced } = cutLengths(program, x, call.axes, layer.extents.length);
  const buffer = program.buffer(node.outputs[0], grid ? 'int8' : 'float32', elementCount(to), grid);
  const inputs = [{ buffer: source.buffer, dims: from }];
  program.emit({ name: node.name, op, outputs: [{ buffer, dims: to }], inputs });
  return { buffer, offset: 0, dims: reduced };
}
