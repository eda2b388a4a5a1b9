import { BINARY_OPERATIONS, type BinaryOperation } from '../../core/binary-operation';
import { elementCount } from '../../ir/tensor';
import { type Bounds, clampCodes, floatClamp, NO_BOUNDS } from '../grid';
import type { FamilyOf, LayerOf } from '../layer';
import type { Program } from '../program';
import { repeatOperand } from '../repeat-operand';
import { type Operand, type Quantization, stepName } from '../step';
import { Unsupported } from '../unsupported';
import { broadcastView, moveView, sizeOf, type View } from '../view';

/** Operations of two numbers. */
export const binaryFamily: FamilyOf<'binary'> = {
  ops: ['binary_s8', 'binary_f32'],
  integer: {
    operands: 'all',
    grid: 'result',
    lower: (layer, { operands, grid }) => {
      const { operation, divisor } = layer.call;
      // The extremes of rounded numbers are the rounded extremes; sums would be rounded in between.
      const isExtreme = operation === 'maximum' || operation === 'minimum';
      if (divisor !== undefined || (operands.length > 2 && !isExtreme))
        throw new Unsupported(`the engine has no int8 kernel for it with ${operands.length} operands`);
      return () => chain(layer, operands, grid);
    },
  },
  float: {
    fuses: true,
    lower: (layer) => {
      const { divisor } = layer.call;
      const views = layer.node.inputs.map((_, index) => layer.float(index));
      if (divisor === undefined) return chain(layer, views);
      const sum = chain(layer, views, undefined, NO_BOUNDS);
      const { buffer } = layer.program.constant(`${layer.node.name}:count`, 'float32', [], Float32Array.of(divisor));
      return combine(layer, 'divide', [sum, { buffer, offset: 0, dims: [] }], undefined, layer.tail.bounds);
    },
  },
};

/** Combines the operands from the first on: what is behind the layer is computed with the last step. */
function chain(
  layer: LayerOf<'binary'>,
  [first, ...others]: readonly View[],
  grid?: Quantization,
  bounds: Bounds = layer.tail.bounds,
): View {
  return others.reduce(
    (sum, view, index) =>
      combine(layer, layer.call.operation, [sum, view], grid, index === others.length - 1 ? bounds : NO_BOUNDS),
    first,
  );
}

/** One step on int8, where there is a grid, or in float. */
function combine(
  { node, tail, program, extents }: LayerOf<'binary'>,
  operation: BinaryOperation,
  views: readonly View[],
  grid: Quantization | undefined,
  bounds: Bounds,
): View {
  const { lead, other } = orderOperands(program, views, extents, isCommutative(operation));
  const a = program.dense(lead);
  const dims = [a.buffer.count];
  const inputs: Operand[] = [{ buffer: a.buffer, dims }, repeatOperand(program, other, a)];
  const name = stepName(node, tail);
  const value = grid ? tail.quantize!.value : tail.value;
  const buffer = program.buffer(value, grid ? 'int8' : 'float32', a.buffer.count, grid);
  const outputs = [{ buffer, dims }];
  if (grid)
    program.emit({ name, op: 'binary_s8', outputs, inputs, params: { operation, clamp: clampCodes(bounds, grid) } });
  else program.emit({ name, op: 'binary_f32', outputs, inputs, params: { operation, clamp: floatClamp(bounds) } });
  return moveView(a, buffer);
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
  const full = views.map((view) => sizeOf(view) === elementCount(extents));
  const constant = views.map((view) => view.buffer.place.kind === 'constant');
  if (commutative && full[1] && (!full[0] || constant[0])) return { lead: b, other: a };
  return full[0] ? { lead: a, other: b } : { lead: program.rowMajor(a), other: b };
}
