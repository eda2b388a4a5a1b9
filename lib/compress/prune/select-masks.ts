/** A tensor whose elements compete for being kept. */
export interface Competitor {
  /** Worth per element; the lowest go first. */
  readonly scores: Float64Array;
  /** 0 for elements that are gone already and stay so: they count as zeros. Undefined: none. */
  readonly alive?: ArrayLike<number>;
}

/** 1 for kept elements, 0 for those that go; with the lowest worth that was kept (Infinity when nothing was). */
export interface MaskChoice {
  readonly mask: Float32Array<ArrayBuffer>;
  readonly threshold: number;
}

/** Keeps the elements of highest worth of one tensor; `sparsity` of all become zero (rounded down). */
export function selectLocal(competitor: Competitor, sparsity: number): MaskChoice {
  return selectCount([competitor], Math.floor(sparsity * competitor.scores.length), 0)[0];
}

/**
 * Keeps the elements of highest worth of all tensors together, `sparsity` of all become zero (rounded down). Every tensor keeps
 * at least `leastShare` of its elements, as far as it has so many alive. Among equal elements the first go.
 */
export function selectGlobal(competitors: readonly Competitor[], sparsity: number, minKeep: number): MaskChoice[] {
  const total = competitors.reduce((sum, { scores }) => sum + scores.length, 0);
  return selectCount(competitors, Math.floor(sparsity * total), leastShare(minKeep, 1 - sparsity));
}

/**
 * Share that every layer keeps where `average` is kept of all: `minKeep`, or half the average where that is less (what is left has to
 * be shared), and in any case `minKeep` of the average.
 */
function leastShare(minKeep: number, average: number): number {
  return Math.max(Math.min(minKeep, average / 2), minKeep * average);
}

/** Makes the `goal` elements of least worth zero; every tensor keeps at least the share `floor` of its elements, if alive. */
export function selectCount(competitors: readonly Competitor[], goal: number, floor: number): MaskChoice[] {
  const masks = competitors.map(({ scores, alive }) =>
    Float32Array.from(scores, (_, index) => Number(alive?.[index] !== 0)),
  );
  const gone = masks.reduce((sum, mask) => sum + zerosIn(mask), 0);
  const guarded = competitors.map(({ scores }, at) =>
    floor === 0 ? undefined : highest(scores, masks[at], Math.ceil(floor * scores.length)),
  );
  const pool = masks.map((mask, at) => candidates(mask, guarded[at]));
  const worths = new Float64Array(pool.reduce((sum, indices) => sum + indices.length, 0));
  let filled = 0;
  for (const [tensor, indices] of pool.entries())
    for (const index of indices) worths[filled++] = competitors[tensor].scores[index];
  removeLowest(competitors, masks, pool, worths.sort(), goal - gone);
  return competitors.map(({ scores }, at) => ({ mask: masks[at], threshold: lowestKept(scores, masks[at]) }));
}

/** Keeps the elements of highest worth of every row alone, as Wanda does. Rows are given as lists of element indices. */
export function selectRows(competitor: Competitor, rows: Iterable<readonly number[]>, sparsity: number): MaskChoice {
  const { scores, alive } = competitor;
  const mask = new Float32Array(scores.length).fill(1);
  for (const row of rows) {
    const part = {
      scores: Float64Array.from(row, (index) => scores[index]),
      ...(alive && { alive: row.map((index) => alive[index]) }),
    };
    const chosen = selectLocal(part, sparsity).mask;
    row.forEach((index, at) => {
      mask[index] = chosen[at];
    });
  }
  return { mask, threshold: lowestKept(scores, mask) };
}

/** Keeps the elements whose worth is at least `threshold`, and at least the share `minKeep` of all, as far as so many are alive. */
export function selectThreshold({ scores, alive }: Competitor, threshold: number, minKeep = 0): MaskChoice {
  const living = Float32Array.from(scores, (_, index) => Number(alive?.[index] !== 0));
  const guarded = highest(scores, living, Math.ceil(minKeep * scores.length));
  const mask = living.map((one, index) => Number(one !== 0 && (scores[index] >= threshold || guarded[index] === 1)));
  return { mask, threshold: lowestKept(scores, mask) };
}

/**
 * N:M sparsity: of every `of` neighbours in each line the `keep` of highest worth stay, of the rest at the end of a line as many.
 * A line is a list of element indices, the input channels of one output at one kernel tap.
 */
export function selectBlocks(
  { scores, alive }: Competitor,
  lines: Iterable<readonly number[]>,
  { keep, of }: { readonly keep: number; readonly of: number },
): MaskChoice {
  const mask = Float32Array.from(scores, (_, index) => Number(alive?.[index] !== 0));
  for (const line of lines)
    for (let start = 0; start < line.length; start += of) {
      const block = line.slice(start, start + of).filter((index) => mask[index] !== 0);
      const order = block.toSorted((a, b) => scores[b] - scores[a]);
      for (const index of order.slice(keep)) mask[index] = 0;
    }
  return { mask, threshold: lowestKept(scores, mask) };
}

/**
 * Dynamic network surgery (Guo et al. 2016, equation 3): a weight goes when its worth falls below 0.9 of the threshold and comes
 * back when it rises above 1.1 of it; between them it stays what it was.
 */
export function splice(choice: MaskChoice, scores: Float64Array, before: ArrayLike<number>): MaskChoice {
  const { threshold } = choice;
  const mask = Float32Array.from(choice.mask, (chosen, index) => {
    if (chosen === before[index] || !Number.isFinite(threshold)) return chosen;
    if (chosen === 0) return scores[index] < LEAVE * threshold ? 0 : 1;
    return scores[index] > RETURN * threshold ? 1 : 0;
  });
  return { mask, threshold };
}
const LEAVE = 0.9;
const RETURN = 1.1;

/** Zeros of a mask. */
export function zerosIn(mask: ArrayLike<number>): number {
  let zeros = 0;
  for (let index = 0; index < mask.length; index++) if (mask[index] === 0) zeros++;
  return zeros;
}

/** Removes `count` elements: all below the worth of the last of them, then the first ones that equal it. */
function removeLowest(
  competitors: readonly Competitor[],
  masks: readonly Float32Array[],
  pool: readonly Uint32Array[],
  sorted: Float64Array,
  count: number,
): void {
  if (count <= 0 || sorted.length === 0) return;
  const last = sorted[Math.min(count, sorted.length) - 1];
  let equal = Math.min(count, sorted.length) - sorted.indexOf(last);
  for (const [tensor, indices] of pool.entries()) {
    const { scores } = competitors[tensor];
    for (const index of indices)
      if (scores[index] < last || (scores[index] === last && equal-- > 0)) masks[tensor][index] = 0;
  }
}

/** Indices of the elements that may go: alive, and not guarded. */
function candidates(alive: Float32Array, guarded: Uint8Array | undefined): Uint32Array {
  return Uint32Array.from(alive.keys()).filter((index) => alive[index] !== 0 && guarded?.[index] !== 1);
}

/** Marks the `count` alive elements of highest worth with 1. */
function highest(scores: Float64Array, alive: Float32Array, count: number): Uint8Array {
  const marks = new Uint8Array(scores.length);
  const sorted = scores.filter((_, index) => alive[index] !== 0).sort();
  const last = sorted[Math.max(0, sorted.length - count)];
  let equal = count - sorted.reduce((sum, score) => sum + Number(score > last), 0);
  for (let index = 0; index < marks.length; index++)
    if (alive[index] !== 0 && (scores[index] > last || (scores[index] === last && equal-- > 0))) marks[index] = 1;
  return marks;
}

function lowestKept(scores: Float64Array, mask: Float32Array): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let index = 0; index < mask.length; index++)
    if (mask[index] !== 0 && scores[index] < lowest) lowest = scores[index];
  return lowest;
}
