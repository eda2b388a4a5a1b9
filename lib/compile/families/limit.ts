import type { FamilyOf } from '../layer';
import { combineIntegers } from './combine-integers';
import { combineViews } from './combine-views';
import { WHOLE_TYPES } from './integer';
import { layerResult, partOf } from './result';

/** Clip between computed bounds, of which the upper one wins. */
export const limitFamily: FamilyOf<'limit'> = {
  ops: ['binary_f32', 'binary_int'],
  float: {
    fuses: false,
    types: WHOLE_TYPES,
    lower: (layer) => {
      const [, low, high] = layer.node.inputs;
      const result = layerResult(layer);
      const combine = layer.isReal ? combineViews : combineIntegers;
      const above = low ? combine(partOf(result, 'low'), 'maximum', [layer.plain(0), layer.plain(1)]) : layer.plain();
      return high ? combine(partOf(result, 'high'), 'minimum', [above, layer.plain(2)]) : above;
    },
  },
};
