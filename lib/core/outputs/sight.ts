import { fitOf, type PictureSize } from '../picture-fit';
import { type PreprocessSpec, pictureLayout } from '../preprocess';
import type { Sight } from './boxes';

/**
 * Where a model with inputs of these shapes sees the picture: the first of four axes is for it. Undefined when there is none.
 * Without a picture of which the preprocessing is known, the input itself counts as one.
 */
export function sightOf(
  inputs: readonly (readonly number[] | undefined)[],
  picture?: PictureSize,
  preprocess?: PreprocessSpec,
): Sight | undefined {
  const dims = inputs.find((shape) => shape?.length === 4);
  if (dims === undefined) return undefined;
  const [height, width] = pictureLayout(dims) === 'NCHW' ? dims.slice(2) : dims.slice(1);
  const size = [height, width] as const;
  if (picture !== undefined && preprocess !== undefined) return { size, fit: fitOf(picture, preprocess) };
  return { size, fit: fitOf(picture ?? { width, height }, { size, resize: 'stretch' }) };
}
