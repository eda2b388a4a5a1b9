import { isValue, type Measured } from './read-file';

/**
 * Total of a counter that wraps, since the first read. After a step that no power explains (a counter set back, a gap in which it
 * may have wrapped unseen) what was used is not known: that read says so, and the total starts again from 0.
 */
export class WrappingCounter {
  private readonly raw: () => Measured;
  private readonly range: number | undefined;
  private readonly mostPerSecond: number;
  private readonly monotonicNs: () => number;
  private last: { readonly value: number; readonly ns: number } | undefined;
  private total = 0;

  /**
   * @param raw the counter now
   * @param range where it wraps to 0; undefined when that is not known
   * @param mostPerSecond what it can gain in a second at most
   */
  constructor(raw: () => Measured, range: number | undefined, mostPerSecond: number, monotonicNs: () => number) {
    this.raw = raw;
    this.range = range;
    this.mostPerSecond = mostPerSecond;
    this.monotonicNs = monotonicNs;
  }

  read(): Measured {
    const value = this.raw();
    if (!isValue(value)) return value;
    const now = { value, ns: this.monotonicNs() };
    const before = this.last;
    this.last = now;
    if (before === undefined) return this.total;
    const seconds = (now.ns - before.ns) / 1e9;
    const gained = value >= before.value ? value - before.value : value - before.value + (this.range ?? Number.NaN);
    const problem = this.problem(gained, seconds);
    if (problem !== undefined) {
      this.total = 0;
      return { reason: `${problem}; the total starts again` };
    }
    this.total += gained;
    return this.total;
  }

  private problem(gained: number, seconds: number): string | undefined {
    if (Number.isNaN(gained)) return 'the counter fell, and where it wraps is not known';
    if (this.range !== undefined && seconds * this.mostPerSecond >= this.range)
      return `the counter was not read for ${seconds.toFixed(0)} s and may have wrapped unseen`;
    // Counters move in steps: a short span may hold one more than its share.
    if (gained > this.mostPerSecond * (seconds + 0.1))
      return `the counter stepped by ${short(gained)} in ${short(seconds)} s, which cannot be`;
    return undefined;
  }
}

function short(value: number): number {
  return Number(value.toPrecision(3));
}
