import { BINARY_OPERATIONS, type BinaryOperation } from '../../core/binary-operation';
import type { IntegerOperation } from '../../core/integer-operation';
import { type Bounds, clampCodes, floatClamp, NO_BOUNDS } from '../grid';
import type { FamilyOf, LayerOf } from '../layer';
import { type Quantization, stepName } from '../step';
import { Unsupported } from '../unsupported';
import { moveView, type View } from '../view';
import { castView } from './cast';
import { combineIntegers, WHOLE_TYPES } from './integer';
import { pairOperands } from './pair-operands';
import { layerResult, partOf } from './result';

/** Operations of two numbers: int8 on grids, floats, and integers as they are. */
export const binaryFamily: FamilyOf<'binary'> = {
  ops: ['binary_s8', 'binary_f32', 'binary_int'],
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
    types: WHOLE_TYPES,
    lower: (layer) => {
      const { divisor } = layer.call;
      const views = operandsOf(layer);
      if (!layer.isReal) return chainIntegers(layer, views);
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

/** The operands in one type: the exponent of a power may come in another. */
function operandsOf(layer: LayerOf<'binary'>): View[] {
  return layer.node.inputs.map((_, index) => {
    const view = layer.plain(index);
    if (view.buffer.type === layer.type) return view;
    if (!layer.isReal) throw new Unsupported(`it combines ${layer.type} with ${view.buffer.type}`);
    return castView(partOf(layerResult(layer), 'cast'), view, layer.type);
  });
}

/** The same on integers, without what is behind the layer. */
function chainIntegers(layer: LayerOf<'binary'>, [first, ...others]: readonly View[]): View {
  const { operation, divisor } = layer.call;
  if (divisor !== undefined) throw new Unsupported('the engine has means of floats alone');
  return others.reduce(
    (sum, view) => combineIntegers(layerResult(layer), operation as IntegerOperation, [sum, view]),
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
  const { lead: a, inputs } = pairOperands(program, views, extents, isCommutative(operation));
  const dims = [a.buffer.count];
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
