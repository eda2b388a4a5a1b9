import type { Maker, Value } from '../maker';

/**
 * Adds one node of an operator, with operands and attributes of its own choice; returns its results.
 * @throws Unfit when nothing was found, or what was found says nothing
 */
export type Draw = (m: Maker, op: string) => readonly Value[];

/** Draws by operator. */
export type Draws = Readonly<Record<string, Draw>>;

/** The same draw for several operators. */
export function eachOf(operators: readonly string[], draw: Draw): Draws {
  return Object.fromEntries(operators.map((op) => [op, draw]));
}

/** An axis of a value of this rank, counted from either end. */
export function axisOf(m: Maker, rank: number): number {
  return m.integer(-rank, rank - 1);
}

/** Some axes, at least one, in ascending order, counted from either end. */
export function someAxes(m: Maker, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter(() => m.chance(0.4));
  const chosen = axes.length > 0 ? axes : [m.integer(0, rank - 1)];
  return chosen.map((axis) => (m.chance(0.2) ? axis - rank : axis));
}
