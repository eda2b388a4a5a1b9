import { HoneError } from '../error';
import { type OutputSpec, outputsOf } from '../output-spec';
import { type DecodedBoxes, decodeBoxes, type Sight } from './boxes';
import { type DecodedClasses, decodeClasses } from './classes';
import { type DecodedText, decodeCtcText } from './ctc-text';
import type { OutputArray } from './output-array';
import { type DecodedThreshold, decodeThreshold } from './threshold';

/** What the outputs of one sample mean. */
export type Decoded = DecodedClasses | DecodedBoxes | DecodedText | DecodedThreshold;

/** What besides the outputs says what they mean. */
export interface DecodeContext {
  /** For boxes: where the model saw the picture. */
  readonly sight?: Sight | undefined;
  /** What the sample before meant; undefined for the first. */
  readonly before?: Decoded | undefined;
}

/**
 * What the outputs of one sample mean.
 * @throws E_OPTION_VALUE when the outputs do not fit the spec, or boxes lack a picture
 */
export function decodeOutputs(
  spec: OutputSpec,
  outputs: ReadonlyMap<string, OutputArray>,
  { sight, before }: DecodeContext = {},
): Decoded {
  const read = new Map(
    [...outputsOf(spec, outputs.keys())].map(([key, name]) => {
      const output = outputs.get(requireOutput(key, name, outputs.keys()))!;
      return [key, { name, ...output }] as const;
    }),
  );
  if (spec.kind === 'boxes') {
    if (sight === undefined)
      throw new HoneError('E_OPTION_VALUE', {
        option: 'outputs.kind',
        expected: 'a model with one picture as input, for boxes',
        found: spec.kind,
      });
    return decodeBoxes(spec, read, sight);
  }
  const { name, ...output } = read.get('output')!;
  if (spec.kind === 'classes') return decodeClasses(spec, name, output);
  if (spec.kind === 'ctc') return decodeCtcText(spec, name, output);
  return decodeThreshold(spec, name, output, before?.kind === 'threshold' ? before : undefined);
}

/** The name, if the model has such an output. @throws E_OPTION_VALUE */
export function requireOutput(key: string, name: string, outputs: Iterable<string>): string {
  const known = [...outputs];
  if (known.includes(name)) return name;
  const expected = `an output of numbers (${known.join(', ') || 'the model has none'})`;
  throw new HoneError('E_OPTION_VALUE', { option: `outputs.${key}`, expected, found: name });
}
