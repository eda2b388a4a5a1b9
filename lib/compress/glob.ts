/**
 * The first pattern that `text` matches, or undefined. `*` stands for any characters (also none, also `/`), `?` for one;
 * everything else stands for itself.
 */
export function matchingGlob(text: string, patterns: readonly string[]): string | undefined {
  return patterns.find((pattern) => toRegExp(pattern).test(text));
}

function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}
