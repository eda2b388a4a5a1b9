/** Metadata key under which a plan says what its outputs mean. */
const OUTPUTS_KEY = 'hone.outputs';

/**
 * Names of the classes of every output, where the plan's output spec has them (kind `classes`).
 * @param outputs names of the outputs; the first is meant where the spec names none
 */
export function classLabels(
  metadata: Readonly<Record<string, string>>,
  outputs: readonly string[],
): readonly (readonly string[] | undefined)[] {
  const { kind, output = outputs[0], labels } = parse(metadata[OUTPUTS_KEY]);
  const isUsable = kind === 'classes' && Array.isArray(labels) && labels.every((label) => typeof label === 'string');
  return outputs.map((name) => (isUsable && name === output ? (labels as string[]) : undefined));
}

/** What a worker says is not trusted: anything but a spec says nothing. */
function parse(text: string | undefined): {
  readonly kind?: unknown;
  readonly output?: unknown;
  readonly labels?: unknown;
} {
  try {
    return (JSON.parse(text ?? '') as object | null) ?? {};
  } catch {
    return {};
  }
}
