import type { FamilyOf } from '../layer';
import { chooseViews } from './choose-views';
import { layerResult } from './result';

/** Elements of one tensor or another by a condition; each of the three may repeat. */
export const whereFamily: FamilyOf<'where'> = {
  ops: ['select'],
  float: {
    fuses: false,
    types: 'any',
    lower: (layer) => chooseViews(layerResult(layer), layer.plain(0), layer.plain(1), layer.plain(2)),
  },
};
