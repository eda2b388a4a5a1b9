import type { Rng } from '../../lib/core/rng';
import type { ViewType } from '../../lib/ir/tensor';

export type Range = readonly [low: number, high: number];

/** What integers are drawn from, unless told. */
const INTEGERS: Partial<Record<ViewType, Range>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  bool: [0, 1],
  int32: [-20, 20],
  int64: [-20, 20],
};

/** One way to draw floats. */
type Kind = (rng: Rng) => number;

/** Kinds of float tensors: mostly what networks hold, sometimes what they do not. */
const KINDS: readonly (readonly [weight: number, kind: Kind])[] = [
  [50, (rng) => 2 * rng.normal()],
  [12, (rng) => rng.integer(-64, 64) / 8],
  [8, (rng) => 2 * rng.uniform() - 1],
  [6, (rng) => [0, -0, 1, -1, 0.5, -2][rng.integer(0, 5)]],
  [5, (rng) => (rng.uniform() < 0.3 ? [0, -0][rng.integer(0, 1)] : 3 * rng.normal())],
  [4, (rng) => rng.normal() * 10 ** rng.integer(-44, -30)],
  [4, (rng) => rng.normal() * 10 ** rng.integer(-8, -3)],
  [5, (rng) => rng.normal() * 10 ** rng.integer(2, 5)],
  [3, (rng) => rng.normal() * 10 ** rng.integer(8, 30)],
];
/** Each kind as often as it weighs. */
const WEIGHED = KINDS.flatMap(([weight, kind]) => new Array<Kind>(weight).fill(kind));

const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, -0];

/** Numbers of a tensor: floats of one kind, or integers of the type, within bounds where there are some; now and then special ones. */
export function drawNumbers(rng: Rng, type: ViewType, count: number, within?: Range, special = false): number[] {
  if (type !== 'float32') {
    const [low, high] = INTEGERS[type] ?? [0, 100];
    const least = Math.max(low, Math.ceil(within?.[0] ?? low));
    const most = Math.min(high, Math.floor(within?.[1] ?? high));
    const [from, to] =
      within && (type === 'int32' || type === 'int64') ? [Math.ceil(within[0]), Math.floor(within[1])] : [least, most];
    return Array.from({ length: count }, () => rng.integer(from, to));
  }
  if (within) return Array.from({ length: count }, () => within[0] + rng.uniform() * (within[1] - within[0]));
  const kind = WEIGHED[rng.integer(0, WEIGHED.length - 1)];
  const draw =
    special && rng.uniform() < 0.2
      ? () => (rng.uniform() < 0.2 ? SPECIAL[rng.integer(0, 4)] : kind(rng))
      : () => kind(rng);
  return Array.from({ length: count }, draw);
}
