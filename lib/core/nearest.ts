/**
 * The word of `words` that `word` was probably meant to be, or undefined when none is near: the one with the least edits (a
 * letter more, less, other, or two swapped; one for every three letters, at least one), else the only one that begins so or that it
 * begins with.
 */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  if (best !== undefined || word.length < 3) return best;
  const related = words.filter(
    (candidate) => candidate.startsWith(word) || (candidate.length > 2 && word.startsWith(candidate)),
  );
  return related.length === 1 ? related[0] : undefined;
}

/** What to say of an unknown word, as details of an error: the near one, if any, and advice that names it as `show` has it, else all. */
export function adviceOn(
  word: string,
  words: readonly string[],
  show: (word: string) => string = (name) => name,
): { readonly nearest: string; readonly advice: string } | { readonly advice: string } {
  const near = nearest(word, words);
  if (near !== undefined) return { nearest: show(near), advice: `Did you mean '${show(near)}'?` };
  return { advice: words.length === 0 ? 'There is none to choose.' : `Known: ${words.join(', ')}.` };
}

/** Optimal string alignment distance: Levenshtein's, with a swap of neighbours as one edit. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const edited = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(swapped ? Math.min(edited, before[j - 2] + 1) : edited);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
