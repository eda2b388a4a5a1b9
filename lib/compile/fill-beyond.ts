import type { Dim } from '../ir/graph';
import type { Counts } from './counts';
import { chooseViews } from './families/choose-views';
import { compareViews } from './families/compare-views';
import { elementConstant } from './families/element-bits';
import type { Network } from './network';
import type { Program } from './program';
import { extentsOf, plainView, type View } from './view';

/** What knows of extents that only a run decides. */
interface Extents {
  readonly network: Network;
  readonly program: Program;
  readonly counts: Counts;
}

/** Which places along an axis lie within its extent, as a bool of [extents[0], 1, ...]. */
export function placesWithin({ program, counts }: Extents, name: string, dim: Dim, extents: readonly number[]): View {
  const numbers = BigInt64Array.from({ length: extents[0] }, (_, i) => BigInt(i));
  const places = plainView(program.constant(`${name}:places`, 'int64', extents, numbers).buffer, extents);
  return compareViews({ program, name, value: name, extents }, 'less', [places, counts.of(dim)]);
}

/**
 * A value with a number wherever it lies beyond extents that the run decides: what stands there otherwise means nothing. The view
 * itself where it has no such extents.
 */
export function fillBeyond(state: Extents, value: string, view: View, number: number): View {
  const { network, program } = state;
  const extents = extentsOf(view);
  return (network.shapeOf(value) ?? []).reduce<View>((filled, dim, axis) => {
    if (!network.bounded.isBounded(dim)) return filled;
    const name = `${value}:within${axis}`;
    const within = placesWithin(state, name, dim, [extents[axis], ...extents.slice(axis + 1).map(() => 1)]);
    const other = plainView(elementConstant(program, `${name}:number`, filled.buffer.type, number), []);
    return chooseViews({ program, name: `${name}:fill`, value: `${name}:fill`, extents }, within, filled, other);
  }, view);
}
