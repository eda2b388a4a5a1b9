import { INTEGER_OPERATIONS } from '../../core/integer-operation';
import { type Bounds, NO_BOUNDS } from '../grid';
import type { FamilyOf, LayerOf } from '../layer';
import type { Quantization } from '../step';
import { Unsupported } from '../unsupported';
import { plainView, type View } from '../view';
import { castView } from './cast';
import { combineIntegers } from './combine-integers';
import { combineViews } from './combine-views';
import { WHOLE_TYPES } from './integer';
import { layerResult, partOf, tailResult } from './result';

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
      return combineViews(tailResult(layer), 'divide', [sum, plainView(buffer, [])], layer.tail.bounds);
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
  const result = tailResult(layer, grid);
  return others.reduce(
    (sum, view, index) =>
      combineViews(result, layer.call.operation, [sum, view], index === others.length - 1 ? bounds : NO_BOUNDS, grid),
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
  const known = INTEGER_OPERATIONS.find(({ name }) => name === operation);
  if (known === undefined) throw new Unsupported('the engine computes it on floats alone');
  return others.reduce((sum, view) => combineIntegers(layerResult(layer), known.name, [sum, view]), first);
}
