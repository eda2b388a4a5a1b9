/**
 * One problem found in the user's data (a model, a plan, a dataset). Problems are returned as lists, so that one run
 * reports all of them; errors are thrown only when work cannot go on.
 */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable kebab-case word, for example `unknown-operator`. */
  readonly kind: string;
  /** Where: node name, value name or file part. */
  readonly where: string;
  /** What was expected and what was found. */
  readonly message: string;
}

/** One line per diagnostic, for terminals and error texts. */
export function formatDiagnostics(list: readonly Diagnostic[]): string {
  return list.map((d) => `${d.severity}: ${d.where}: ${d.message} [${d.kind}]`).join('\n');
}
