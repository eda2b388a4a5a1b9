import { ranking } from './ranking';

/** Edges of a box, `left <= right` and `top <= bottom`, in any unit. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A box that may be one of several around the same thing. */
export interface Candidate extends Box {
  readonly class: number;
  readonly score: number;
}

export interface SuppressionOptions {
  /** Most overlap with a better box, as intersection over union. */
  readonly iouThreshold: number;
  /** Whether boxes of different classes may overlap. */
  readonly perClass: boolean;
  /** Most boxes to keep. */
  readonly most: number;
}

/** Area that two boxes share, as a share of the area that they cover; 0 when they cover none. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

function areaOf({ left, top, right, bottom }: Box): number {
  return (right - left) * (bottom - top);
}

/**
 * Greedy non-maximum suppression: candidates by falling score, the first of equals first; each is kept unless it overlaps one
 * that was kept before by more than the threshold.
 */
export function suppress<T extends Candidate>(candidates: readonly T[], options: SuppressionOptions): T[] {
  const { iouThreshold, perClass, most } = options;
  const kept: T[] = [];
  for (const index of ranking(candidates.map(({ score }) => score))) {
    if (kept.length >= most) break;
    const candidate = candidates[index];
    const isKnown = kept.some(
      (better) =>
        !(perClass && better.class !== candidate.class) && intersectionOverUnion(better, candidate) > iouThreshold,
    );
    if (!isKnown) kept.push(candidate);
  }
  return kept;
}
