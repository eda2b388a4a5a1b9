import type { Reading } from './sample';

/** What is told, or why it is not. */
export type Told<T> =
  | { readonly value: T; readonly reason?: undefined }
  | { readonly value: null; readonly reason: string };

/** CPU cores that share a clock policy, as the kernel groups them. Clocks in hertz. */
export interface ClockPolicy {
  /** List of cores, such as `0-3`. */
  readonly cpus: string;
  readonly governor: string;
  /** What the governor may choose from, and what the hardware could. */
  readonly limitHz: readonly [least: number, most: number];
  readonly hardwareHz: readonly [least: number, most: number];
}

/** Something that slows a machine down: a flag that is set while it does, or how often it did since the machine started. */
export interface ThrottleSign {
  readonly name: string;
  readonly kind: 'flag' | 'counter';
  readonly value: number;
  readonly source: string;
}

/** What a speed or energy figure of a machine depends on besides the model, at one moment. */
export interface Conditions {
  /** What the machine calls itself: device tree or firmware. */
  readonly machine: Told<string>;
  readonly kernel: string;
  readonly pageBytes: Told<number>;
  readonly memoryBytes: Told<number>;
  readonly swapUsedBytes: Told<number>;
  /** Cores that the process may use, such as `0-3`. */
  readonly affinity: Told<string>;
  readonly clocks: Told<readonly ClockPolicy[]>;
  /** Power mode of a Jetson. */
  readonly powerMode: Told<string>;
  /** Temperatures and clocks now. */
  readonly readings: readonly Reading[];
  readonly throttles: readonly ThrottleSign[];
  /** Tasks that want a core, over the last minute, and the cores there are. */
  readonly load: number;
  readonly processors: number;
}

/** Whether figures that were taken between two moments may be trusted. */
export interface ConditionsVerdict {
  /** `disturbed`: something slowed the machine down meanwhile; measure again. */
  readonly verdict: 'steady' | 'disturbed';
  /** What disturbed it. */
  readonly reasons: readonly string[];
  /** What makes figures depend on the moment, though nothing disturbed them. */
  readonly notes: readonly string[];
}

/** Swap that grows by more than this was used by what was measured, or beside it. */
const SWAP_BYTES = 1 << 20;

/**
 * Judges what stood between two moments of one machine. The run itself keeps `ownCores` cores busy.
 */
export function judgeConditions(before: Conditions, after: Conditions, ownCores: number): ConditionsVerdict {
  const reasons = [...throttled(before, after)];
  const swapped = (after.swapUsedBytes.value ?? 0) - (before.swapUsedBytes.value ?? 0);
  if (swapped > SWAP_BYTES) reasons.push(`${Math.round(swapped / 1e6)} MB went to swap meanwhile`);
  if (before.load + ownCores > before.processors + 0.5)
    reasons.push(
      `load ${before.load.toFixed(1)} before the run on ${before.processors} cores, of which it needs ${ownCores}`,
    );
  const notes = (after.clocks.value ?? []).flatMap(({ cpus, governor, limitHz, hardwareHz }) => [
    ...(governor === 'performance' ? [] : [`cores ${cpus}: governor ${governor}, clocks follow the load`]),
    ...(limitHz[1] < hardwareHz[1]
      ? [`cores ${cpus}: held at ${gigahertz(limitHz[1])} of ${gigahertz(hardwareHz[1])}`]
      : []),
  ]);
  return { verdict: reasons.length === 0 ? 'steady' : 'disturbed', reasons, notes };
}

function* throttled(before: Conditions, after: Conditions): Iterable<string> {
  const known = new Map(before.throttles.map((sign) => [sign.name, sign.value]));
  for (const { name, kind, value, source } of after.throttles) {
    const earlier = known.get(name) ?? 0;
    if (kind === 'flag' && (value > 0 || earlier > 0)) yield `${name} (${source})`;
    if (kind === 'counter' && value > earlier) yield `${name}: ${value - earlier} times meanwhile (${source})`;
  }
}

function gigahertz(hertz: number): string {
  return `${(hertz / 1e9).toFixed(2)} GHz`;
}
