import type { Destination } from '../../boards/destination';

/** A board as a person names it. */
export interface BoardTarget {
  /** What it is called here. */
  readonly name: string;
  readonly destination: Destination;
  /** Where Hone is installed there; `~/.hone` when left out. */
  readonly folder?: string;
}
