/** An energy counter or a power gauge of this machine, found once at start. */
export interface EnergySource {
  /** `counter`: joules that only grow (wraps at `wrapJoules`); `gauge`: watts at this moment. */
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  readonly source: string;
  /** What it measures: `package`, `board` or the `sum of rails` (of some parts of the board). */
  readonly scope: string;
  readonly wrapJoules?: number;
  read(): number | undefined;
}
