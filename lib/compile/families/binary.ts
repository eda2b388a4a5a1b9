import { BINARY_OPERATIONS, type BinaryOperation } from '../../core/binary-operation';
import { elementCount } from '../../ir/tensor';
import { clampCodes, floatClamp } from '../grid';
import type { FamilyOf, LayerOf } from '../layer';
import type { Program } from '../program';
import { repeatOperand } from '../repeat-operand';
import { type Operand, stepName } from '../step';
import { Unsupported } from '../unsupported';
import { broadcastView, type Factor, memoryFactors, moveView, sizeOf, type View } from '../view';

/** Operations of two numbers. */
export const binaryFamily: FamilyOf<'binary'> = {
  ops: ['binary_s8', 'binary_f32'],
  integer: {
    operands: 'all',
    grid: 'result',
    lower:
      (layer, { operands, grid }) =>
      () => {
        const { node, call, tail, program } = layer;
        const { a, inputs, dims } = operandsOf(layer, operands);
        const buffer = program.buffer(tail.quantize!.value, 'int8', a.buffer.count, grid);
        const params = { operation: call.operation, clamp: clampCodes(tail.bounds, grid) } as const;
        program.emit({ name: stepName(node, tail), op: 'binary_s8', outputs: [{ buffer, dims }], inputs, params });
        return moveView(a, buffer);
      },
  },
  float: {
    fuses: true,
    lower: (layer) => {
      const { node, call, tail, program } = layer;
      const views = node.inputs.map((_, index) => layer.float(index));
      const { a, inputs, dims } = operandsOf(layer, views);
      const buffer = program.buffer(tail.value, 'float32', a.buffer.count);
      const params = { operation: call.operation, clamp: floatClamp(tail.bounds) } as const;
      program.emit({ name: stepName(node, tail), op: 'binary_f32', outputs: [{ buffer, dims }], inputs, params });
      return moveView(a, buffer);
    },
  },
};

/** The operands as the kernel takes them, and the view that its result lies like. */
function operandsOf({ call, program, extents }: LayerOf<'binary'>, views: readonly View[]) {
  const { lead, other } = orderOperands(program, views, extents, isCommutative(call.operation));
  const a = program.dense(lead);
  const dims = [a.buffer.count];
  const inputs: Operand[] = [{ buffer: a.buffer, dims }, repeatOperand(program, other, a)];
  return { a, dims, inputs };
}

function isRepeated({ stride }: Factor): boolean {
  return stride === 0;
}

function isCommutative(operation: BinaryOperation): boolean {
  return BINARY_OPERATIONS.some(({ name, commutative }) => name === operation && commutative);
}

/**
 * Operands of an operation, both with the extents of the result: first one that has all of its elements, then the one that
 * may repeat. Where the operation is commutative they may change places (the computed one leads if both have all elements);
 * when the first repeats, it is written out.
 */
export function orderOperands(
  program: Program,
  views: readonly View[],
  extents: readonly number[],
  commutative: boolean,
): { lead: View; other: View } {
  const [a, b] = views.map((view) => broadcastView(view, extents));
  if (a === undefined || b === undefined) throw new Unsupported(`its operands do not broadcast to [${extents}]`);
  // What an Expand has repeated counts as little as what ONNX repeats by itself.
  const full = views.map((view) => sizeOf(view) === elementCount(extents) && !memoryFactors(view).some(isRepeated));
  const constant = views.map((view) => view.buffer.place.kind === 'constant');
  if (commutative && full[1] && (!full[0] || constant[0])) return { lead: b, other: a };
  return full[0] ? { lead: a, other: b } : { lead: program.rowMajor(a), other: b };
}
