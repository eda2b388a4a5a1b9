import type { FamilyOf, LayerOf } from '../layer';
import { extentsOf, plainView, type View } from '../view';
import { combineViews } from './combine-views';
import { elementConstant } from './element-bits';
import { windowPasses } from './image';
import { mapView } from './map-view';
import { emitAverages } from './pool';
import { layerResult, partOf } from './result';

/** Norms of windows: powers, their averages, roots, and back from averages to sums by a factor. */
export const lpPoolFamily: FamilyOf<'lp-pool'> = {
  ops: ['unary_f32', 'average_pool_f32', 'binary_f32'],
  float: {
    fuses: false,
    lower: (layer) => {
      const { call, program } = layer;
      const { window, power } = call;
      const x = program.dense(layer.float());
      const map = (operation: 'abs' | 'square' | 'sqrt' | 'power', view: View, alpha?: number) =>
        mapView(partOf(layerResult(layer), operation), { operation, alpha }, view);
      const sized = map(power === 2 ? 'square' : 'abs', x);
      const powers = power > 2 ? map('power', sized, power) : sized;
      const averages = emitAverages(layer, powers, windowPasses(window, extentsOf(x), layer.extents), true);
      const roots = power === 1 ? averages : power === 2 ? map('sqrt', averages) : map('power', averages, 1 / power);
      return scaled(layer, roots);
    },
  },
};

/** Roots of averages times the root of how many they are of. */
function scaled(layer: LayerOf<'lp-pool'>, x: View): View {
  const { call, program } = layer;
  const { kernel, depth } = call.window;
  const area = kernel[0] * kernel[1] * (depth?.kernel ?? 1);
  const result = layerResult(layer);
  const factor = elementConstant(program, partOf(result, 'factor').value, 'float32', area ** (1 / call.power));
  return combineViews(result, 'multiply', [x, plainView(factor, [])]);
}
