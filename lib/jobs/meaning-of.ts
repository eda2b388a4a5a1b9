import type { OutputSpec } from '../core/output-spec';
import { type Decoded, decodeOutputs } from '../core/outputs/decode-outputs';
import { sightOf } from '../core/outputs/sight';
import type { PictureSize } from '../core/picture-fit';
import type { PreprocessSpec } from '../core/preprocess';
import { type Tensor, toNumbers } from '../ir/tensor';

/** What was run, and what the sample before meant. */
interface Seen {
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** The picture that the inputs were made of, and how; undefined for other samples. */
  readonly picture: PictureSize | undefined;
  readonly preprocess: PreprocessSpec | undefined;
  readonly before: Decoded | undefined;
}

/** What the outputs of one sample mean. @throws what `decodeOutputs` throws */
export function meaningOf(spec: OutputSpec, outputs: ReadonlyMap<string, Tensor>, seen: Seen): Decoded {
  const shapes = [...seen.inputs.values()].map(({ dims }) => dims);
  const sight = spec.kind === 'boxes' ? sightOf(shapes, seen.picture, seen.preprocess) : undefined;
  // Texts are what they are.
  const numeric = [...outputs].filter(([, { type }]) => type !== 'string');
  const numbers = new Map(numeric.map(([name, tensor]) => [name, { dims: tensor.dims, data: toNumbers(tensor) }]));
  return decodeOutputs(spec, numbers, { sight, before: seen.before });
}
