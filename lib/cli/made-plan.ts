import type { Console } from './console';
import { COMMON, openModel, preprocessing, quantizeFlags, text, watched } from './flags';
import type { OptionValues } from './verb';

export const NAME = {
  flags: '--name <name>',
  description: 'name of the model in URLs; the file name when left out',
};
export const DATA = { ...COMMON.data, description: COMMON.calibration.description };

/** The plan of what a user names: a plan as it is, else one made of the model as the options say. @throws what `makePlan` throws */
export async function planOf(path: string, options: OptionValues, console: Console): Promise<Uint8Array> {
  const data = text(options, 'data');
  // Loaded when it is needed, as in `openModel`.
  const { makePlan } = require('../jobs/make-plan') as typeof import('../jobs/make-plan');
  const { plan } = await makePlan(await openModel(path, options, console), {
    ...(data === undefined ? {} : { data }),
    ...(await preprocessing(options)),
    quantize: quantizeFlags(options),
    ...watched(console),
  });
  return plan;
}
