/** Indices by falling score, the first of equals first; NaN counts as minus infinity. */
export function ranking(scores: ArrayLike<number>): number[] {
  const keys = Float64Array.from(scores, (score) => (Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score));
  return Array.from(keys.keys()).sort((a, b) => (keys[a] === keys[b] ? a - b : keys[a] > keys[b] ? -1 : 1));
}

/** Index of the largest number, the first of equals; undefined when there is none but NaN. */
export function indexOfLargest(scores: ArrayLike<number>): number | undefined {
  let best: number | undefined;
  for (let index = 0; index < scores.length; index++)
    if (!Number.isNaN(scores[index]) && (best === undefined || scores[index] > scores[best])) best = index;
  return best;
}
