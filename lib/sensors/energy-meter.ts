import type { EnergyTotal } from '../telemetry/energy';
import type { EnergyCover, EnergyScope, Reading } from '../telemetry/sample';
import { isValue, type Measured } from './read-file';
import type { Probe } from './sensor-source';

/**
 * Milliseconds between reads of a gauge: the first, or as many as it needs for reading to take a hundredth of the time (a chip on a bus
 * is slow, and whoever reads it waits), up to the second.
 */
const POLL_MS = [50, 250] as const;
const READ_SHARE = 0.01;
/** Between values of a gauge further apart than this, or than three of the chip's, nobody knows what the power was. */
const LONGEST_GAP_MS = 2000;
/** Joules that the packages must have used before psys is judged by them. */
const JUDGED_JOULES = 5;

/**
 * What the scopes add up, the widest first; no two covers of one scope overlap. The package does not hold the memory (Intel SDM
 * vol. 3, RAPL domains: PKG and DRAM stand beside each other); cores and graphics lie within the package and are in no sum.
 */
export const SCOPES: Readonly<Record<Exclude<EnergyScope, 'rail'>, readonly EnergyCover[]>> = {
  board: ['board'],
  system: ['system'],
  packages: ['package', 'memory'],
  rails: ['rail'],
};

interface Candidate {
  readonly scope: EnergyScope;
  readonly probes: readonly Probe[];
}

/** Values of probes that were read at one moment. */
type Values = (probe: Probe) => Measured;

/** Energy of the widest scope that this machine measures: a counter's own joules, or watts integrated over time. */
export class EnergyMeter {
  private readonly monotonicNs: () => number;
  private readonly candidates: Candidate[];
  private readonly counters: readonly Probe[];
  private readonly none: string;
  /** What one read takes. */
  private readonly readMs: number;
  private last: { readonly ns: number; readonly value: number } | undefined;
  /** Where psys and the packages stood when they began to be compared. */
  private judged: { readonly system: number; readonly packages: number } | undefined;
  private joules = 0;
  private problem: string | undefined;
  private values = 0;
  private longestMs = 0;

  /** @param none why there is no candidate, for machines without one */
  constructor(probes: readonly Probe[], none: string, monotonicNs: () => number) {
    this.monotonicNs = monotonicNs;
    this.candidates = candidatesOf(probes.filter(({ energy }) => energy !== undefined));
    this.counters = probes.filter(({ kind }) => kind === 'counter');
    this.none = none;
    this.poll();
    const begin = monotonicNs();
    this.poll();
    this.readMs = (monotonicNs() - begin) / 1e6;
  }

  /** What the joules cover; null when nothing measures energy. */
  get scope(): EnergyScope | null {
    return this.current?.scope ?? null;
  }

  /** Where the joules are read. */
  get source(): string | null {
    return this.current?.probes.map(({ source }) => source).join(' + ') ?? null;
  }

  /** Milliseconds between calls of `poll` that the source wants; null for counters, which any read brings up to date. */
  get pollMs(): number | null {
    const probe = this.current?.probes[0];
    if (probe?.kind !== 'gauge') return null;
    const [fewest, most] = POLL_MS;
    return Math.max(this.intervalMs, Math.min(most, Math.max(fewest, this.readMs / READ_SHARE)));
  }

  /** Reads the source and adds what it used since the read before; reads all counters, so that none wraps unseen. */
  poll(): void {
    const values = new Map<Probe, Measured>();
    for (const probe of [...this.counters, ...(this.current?.probes ?? [])])
      if (!values.has(probe)) values.set(probe, probe.read());
    this.feed((probe) => values.get(probe)!);
  }

  /** The same with values that were read already. */
  feed(values: Values): void {
    const { current } = this;
    if (current === undefined) return;
    const now = { ns: this.monotonicNs(), value: sum(current.probes, values) };
    const { value } = now;
    const problem = isValue(value) ? this.contradiction(value, values) : value.reason;
    if (!isValue(value) || problem !== undefined) {
      this.problem = problem;
      this.last = undefined;
      this.judged = undefined;
      this.joules = 0;
      return;
    }
    const before = this.last;
    this.last = { ns: now.ns, value };
    if (current.probes[0].kind === 'counter') this.joules = value;
    if (before !== undefined) this.advance(before, this.last);
  }

  /** The total now; the next one tells the longest time between values since this one. */
  take(): EnergyTotal {
    this.poll();
    const { problem, values, longestMs } = this;
    this.problem = undefined;
    this.longestMs = 0;
    const head = { monotonicNs: this.last?.ns ?? this.monotonicNs(), values, longestMs };
    if (this.current === undefined) return { ...head, joules: null, reason: this.none };
    return problem === undefined ? { ...head, joules: this.joules } : { ...head, joules: null, reason: problem };
  }

  /** The total at the last read as a reading. */
  get reading(): Reading {
    const { scope, source, last } = this;
    const head = { name: 'energy', unit: 'joules', kind: 'counter' } as const;
    if (scope === null) return { ...head, source: 'powercap, hwmon, i2c', value: null, reason: this.none };
    const where = `${scope}: ${source}`;
    if (last === undefined)
      return { ...head, source: where, value: null, reason: this.problem ?? 'the source stopped answering' };
    return { ...head, source: where, value: this.joules };
  }

  private get current(): Candidate | undefined {
    return this.candidates[0];
  }

  private get intervalMs(): number {
    return Math.max(0, ...(this.current?.probes ?? []).map(({ energy }) => energy!.intervalMs));
  }

  /** Counts the values that came between two reads; of a gauge adds the trapezoid, without what noise gives below 0. */
  private advance(from: { ns: number; value: number }, to: { ns: number; value: number }): void {
    const gapMs = (to.ns - from.ns) / 1e6;
    const gauge = this.current?.probes[0].kind === 'gauge';
    if (gauge && gapMs > Math.max(LONGEST_GAP_MS, 3 * this.intervalMs)) {
      this.joules = 0;
      this.problem = `the power was not read for ${Number((gapMs / 1000).toPrecision(3))} s; the total starts again`;
      return;
    }
    const everyMs = gauge ? Math.max(gapMs, this.intervalMs) : this.intervalMs;
    this.values += gapMs / everyMs;
    this.longestMs = Math.max(this.longestMs, everyMs);
    if (gauge) this.joules += Math.max(0, ((from.value + to.value) / 2) * (gapMs / 1000));
  }

  /**
   * Drops psys for the packages, and says so, where it gains less than they do: boards whose supply does not report to the processor
   * have a psys that stands still.
   */
  private contradiction(system: number, values: Values): string | undefined {
    const next = this.candidates[1];
    if (this.current?.scope !== 'system' || next?.scope !== 'packages') return undefined;
    const packages = sum(next.probes, values);
    if (!isValue(packages)) return undefined;
    this.judged ??= { system, packages };
    const gained = packages - this.judged.packages;
    if (gained < JUDGED_JOULES || gained <= system - this.judged.system) return undefined;
    this.candidates.shift();
    return 'psys counts less than the packages within it: from now on the packages are taken';
  }
}

/** Scopes that this machine measures in full, the widest first: one part that cannot be read would be missing in the sum. */
function candidatesOf(probes: readonly Probe[]): Candidate[] {
  return Object.entries(SCOPES).flatMap(([scope, covers]): Candidate[] => {
    const parts = probes.filter(({ energy }) => covers.includes(energy!.covers));
    if (parts.length === 0 || !parts.every((probe) => isValue(probe.read()))) return [];
    return [{ scope: scope === 'rails' && parts.length === 1 ? 'rail' : (scope as EnergyScope), probes: parts }];
  });
}

function sum(probes: readonly Probe[], values: Values): Measured {
  let total = 0;
  for (const probe of probes) {
    const value = values(probe);
    if (!isValue(value)) return value;
    total += value;
  }
  return total;
}
