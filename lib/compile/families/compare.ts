import type { FamilyOf, LayerOf } from '../layer';
import { moveView, plainView, type View } from '../view';
import { compareViews } from './compare-views';
import { elementConstant } from './element-bits';
import { layerResult } from './result';

/** Comparisons of two numbers, or of one or its size with itself or a given one. */
export const compareFamily: FamilyOf<'compare'> = {
  ops: ['compare', 'unary_f32'],
  float: {
    fuses: false,
    types: ['bool'],
    lower: (layer) => {
      const { node, call, program } = layer;
      const a = call.ofSize ? sizes(layer) : layer.plain(0);
      const { beside } = call;
      const number = (value: number) =>
        plainView(elementConstant(program, `${node.name}:number`, a.buffer.type, value), []);
      const b = beside === undefined ? layer.plain(1) : beside === 'itself' ? a : number(beside);
      return compareViews(layerResult(layer), call.comparison, [a, b]);
    },
  },
};

/** The absolute values of a float input. */
function sizes(layer: LayerOf<'compare'>): View {
  const { node, program } = layer;
  const x = program.dense(layer.float());
  const buffer = program.buffer(`${node.name}:size`, 'float32', x.buffer.count);
  const dims = [buffer.count];
  const params = { operation: 'abs' } as const;
  const inputs = [{ buffer: x.buffer, dims }];
  program.emit({ name: `${node.name}:size`, op: 'unary_f32', outputs: [{ buffer, dims }], inputs, params });
  return moveView(x, buffer);
}
