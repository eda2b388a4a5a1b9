import { type OutputSpec, parseOutputSpec } from './output-spec';
import { type PreprocessSpec, parsePreprocess } from './preprocess';

/** Metadata key under which a file says how pictures become its input. */
export const PREPROCESS_KEY = 'hone.preprocess';
/** Metadata key under which a file says what its outputs mean. */
export const OUTPUTS_KEY = 'hone.outputs';

/** The preprocessing that metadata carry; undefined when they carry none that is ours. */
export function notedPreprocess(metadata: ReadonlyMap<string, string>): PreprocessSpec | undefined {
  return noted(metadata, PREPROCESS_KEY, parsePreprocess);
}

/** What metadata say of the outputs; undefined when they say nothing that is ours. */
export function notedOutputs(metadata: ReadonlyMap<string, string>): OutputSpec | undefined {
  return noted(metadata, OUTPUTS_KEY, parseOutputSpec);
}

function noted<Spec>(
  metadata: ReadonlyMap<string, string>,
  key: string,
  parse: (json: unknown) => Spec,
): Spec | undefined {
  try {
    return parse(JSON.parse(metadata.get(key) ?? ''));
  } catch {
    return undefined;
  }
}
