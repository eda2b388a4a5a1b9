import { HoneError } from '../../core/error';
import { elementCount } from '../../ir/tensor';
import type { OpRule } from '../../plan/op-rule';
import { PLAN_OP_NAMES, PLAN_OPS, type PlanOp } from '../../plan/plan-ops';
import type { FamilyOf, LayerOf } from '../layer';
import type { Quantization } from '../step';
import { Unsupported } from '../unsupported';
import { extentsOf, memoryFactors, naturalOrder, plainView, sizeOf, type View } from '../view';

/** Engine operations that make one element of several. */
export type ReduceOp = {
  [O in PlanOp]: (typeof PLAN_OPS)[O] extends { family: 'reduce' } ? O : never;
}[PlanOp];

function isReduction(name: string): name is ReduceOp {
  const rule: OpRule | undefined = PLAN_OPS[name as PlanOp];
  return rule?.family === 'reduce';
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
  const extents = extentsOf(x);
  const around = cutAround(program.isDirect(x) ? x : plainView(x.buffer, extents), call.axes);
  const kept = naturalOrder(extents.length).filter((axis) => !call.axes.includes(axis));
  const source = around ? program.dense(x) : program.arrange(x, [...kept, ...call.axes]);
  const { outer, length, inner } = around ?? cutAround(source, call.axes)!;
  const [to, from] =
    inner === 1
      ? [[outer], [outer, length]]
      : [
          [outer, inner],
          [outer, length, inner],
        ];
  const buffer = program.buffer(node.outputs[0], grid ? 'int8' : 'float32', elementCount(to), grid);
  const [y, input] = [
    { buffer, dims: to },
    { buffer: source.buffer, dims: from },
  ];
  program.emit({ name: node.name, op, outputs: [y], inputs: [input] });
  const one = [{ extent: 1, stride: 0 }];
  const dims = source.dims.map((factors, axis) =>
    call.axes.includes(axis)
      ? one
      : factors.map(({ extent, stride }) => ({
          extent,
          stride: extent === 1 ? 0 : stride < inner * length ? stride : stride / length,
        })),
  );
  return { buffer, offset: 0, dims: layer.extents.length === dims.length ? dims : kept.map((axis) => dims[axis]) };
}

/** Extents [outer, length, inner] of a dense view whose `axes` are `length`; undefined where others lie between them. */
function cutAround(view: View, axes: readonly number[]): { outer: number; length: number; inner: number } | undefined {
  // No two factors of a dense buffer have one stride, but those of one element may have any.
  const reduced = axes.flatMap((axis) => view.dims[axis]).filter(({ extent }) => extent !== 1);
  const factors = memoryFactors(view);
  const isReduced = factors.map(({ stride }) => reduced.some((factor) => factor.stride === stride));
  const [first, last] = [isReduced.indexOf(true), isReduced.lastIndexOf(true)];
  if (isReduced.slice(first, last + 1).includes(false)) return undefined;
  const inner = factors[last]?.stride ?? 1;
  const length = elementCount(axes.map((axis) => extentsOf(view)[axis]));
  return { outer: sizeOf(view) / (length * inner), length, inner };
}
