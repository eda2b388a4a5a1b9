import { PLAN_MAX_RANK } from '../plan/format';

/** Where the elements of one buffer lie in another: element i at `offset + floor(i / row) * pitch + i % row`. */
export interface Part {
  readonly offset: number;
  readonly row: number;
  readonly pitch: number;
}

/** Extents of a copy with the strides of both sides. */
export interface Walk {
  readonly extents: readonly number[];
  readonly offset: number;
  readonly strides: readonly number[];
  /** Strides of the other side. */
  readonly others: readonly number[];
}

/**
 * The part of the other side that a dense buffer of `count` elements fills, when the walk goes over all of the buffer; undefined
 * where it is no part.
 */
export function partOfWalk({ extents, offset, strides, others }: Walk, count: number, start: number): Part | undefined {
  const factors = extents
    .map((extent, i) => ({ extent, stride: strides[i], other: others[i] }))
    .filter(({ extent }) => extent > 1)
    .sort((a, b) => b.stride - a.stride);
  let dense = 1;
  for (const { extent, stride } of [...factors].reverse()) {
    if (stride !== dense) return undefined;
    dense *= extent;
  }
  if (offset !== 0 || dense !== count) return undefined;
  return partOfFactors(factors, count, start);
}

/** The part of its own side that a walk goes over, each element once, with their number; undefined where it is no part. */
export function filledPart({ extents, offset, strides }: Walk): (Part & { readonly count: number }) | undefined {
  const factors = extents
    .map((extent, i) => ({ extent, other: strides[i] }))
    .filter(({ extent }) => extent > 1)
    .sort((a, b) => b.other - a.other);
  const count = factors.reduce((product, { extent }) => product * extent, 1);
  const part = partOfFactors(factors, count, offset);
  return part && { ...part, count };
}

/** The part that steps over another side make, outermost first. */
function partOfFactors(
  factors: readonly { readonly extent: number; readonly other: number }[],
  count: number,
  start: number,
): Part | undefined {
  const merged: { extent: number; other: number }[] = [];
  for (const { extent, other } of factors) {
    const last = merged.at(-1);
    if (last?.other === extent * other) merged[merged.length - 1] = { extent: extent * last.extent, other };
    else merged.push({ extent, other });
  }
  const inner = merged.at(-1)?.other === 1 ? merged.pop()!.extent : 1;
  if (merged.length === 0) return { offset: start, row: count, pitch: count };
  const [{ other: pitch }] = merged;
  return merged.length === 1 && pitch >= inner ? { offset: start, row: inner, pitch } : undefined;
}

/** Whether two parts of a buffer, of `a.count` and `b.count` elements, surely have no element in common. */
export function areApart(a: Part & { count: number }, b: Part & { count: number }): boolean {
  const end = ({ offset, row, pitch, count }: Part & { count: number }) => offset + (count / row - 1) * pitch + row;
  if (end(a) <= b.offset || end(b) <= a.offset) return true;
  if (a.pitch !== b.pitch) return false;
  const ahead = (((b.offset - a.offset) % a.pitch) + a.pitch) % a.pitch;
  return ahead >= a.row && ahead + b.row <= a.pitch;
}

/** A part of `count` elements of a buffer that is a part itself, of `whole` elements; undefined where that is none. */
export function composeParts(inner: Part, count: number, outer: Part, whole: number): Part | undefined {
  const at = outer.offset + Math.floor(inner.offset / outer.row) * outer.pitch + (inner.offset % outer.row);
  if (outer.row === whole) return { ...inner, offset: outer.offset + inner.offset };
  const isBlock = inner.row === count;
  const within = inner.offset % outer.row;
  if (within + inner.row <= outer.row && (isBlock || inner.pitch % outer.row === 0))
    return { offset: at, row: inner.row, pitch: isBlock ? inner.row : (inner.pitch / outer.row) * outer.pitch };
  const isRows = isBlock && within === 0 && inner.row % outer.row === 0;
  return isRows ? { offset: at, row: outer.row, pitch: outer.pitch } : undefined;
}

/** A walk over a buffer of `count` elements as one over the buffer that it is a part of; undefined where factors cross rows. */
export function walkPart(walk: Walk, part: Part, count: number): Walk | undefined {
  if (part.row === count) return { ...walk, offset: walk.offset + part.offset };
  const { row, pitch } = part;
  const factors: { extent: number; stride: number; other: number }[] = [];
  let last = walk.offset % row;
  for (const [i, extent] of walk.extents.entries()) {
    const [stride, other] = [walk.strides[i], walk.others[i]];
    if (stride % row === 0) factors.push({ extent, stride: (stride / row) * pitch, other });
    else {
      const inner = row % stride === 0 && extent % (row / stride) === 0 ? row / stride : extent;
      if (stride < 0) return undefined;
      if (inner < extent) factors.push({ extent: extent / inner, stride: pitch, other: other * inner });
      factors.push({ extent: inner, stride, other });
      last += (inner - 1) * stride;
    }
  }
  if (last >= row || factors.length > PLAN_MAX_RANK) return undefined;
  return {
    extents: factors.map(({ extent }) => extent),
    offset: part.offset + Math.floor(walk.offset / row) * pitch + (walk.offset % row),
    strides: factors.map(({ stride }) => stride),
    others: factors.map(({ other }) => other),
  };
}
