import { normalizeAxes } from './axes';

/** Counts before and after every axis of a Pad, from its inputs `pads` and `axes`. @throws RangeError for axes that are not there */
export function padsPerAxis(
  rank: number,
  pads: readonly number[],
  axes: readonly number[] | undefined,
): [number[], number[]] {
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  const listed = axes ? normalizeAxes(axes, rank) : before.map((_, axis) => axis);
  if (!listed) throw new RangeError(`axes [${axes}] do not fit a rank of ${rank}`);
  listed.forEach((axis, i) => {
    before[axis] = pads[i];
    after[axis] = pads[i + listed.length];
  });
  return [before, after];
}
