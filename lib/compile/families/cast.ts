import type { PlanType } from '../../plan/format';
import type { FamilyOf } from '../layer';
import { moveView, type View } from '../view';
import { layerResult, type Result } from './result';

/** Elements as another type. */
export const castFamily: FamilyOf<'cast'> = {
  ops: ['cast'],
  float: {
    fuses: false,
    types: 'any',
    lower: (layer) => castView(layerResult(layer), layer.plain(), layer.type),
  },
};

/** The elements of a view as another type; the view itself when they have it. */
export function castView({ program, name, value }: Result, view: View, type: PlanType): View {
  if (view.buffer.type === type) return view;
  const x = program.dense(view);
  const buffer = program.buffer(value, type, x.buffer.count);
  const dims = [buffer.count];
  program.emit({ name, op: 'cast', outputs: [{ buffer, dims }], inputs: [{ buffer: x.buffer, dims }] });
  return moveView(x, buffer);
}
