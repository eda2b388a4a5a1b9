import type { EnergyCover, ReadingKind, ReadingUnit } from '../telemetry/sample';
import type { Measured, SysRoot } from './read-file';

/** What sources need of the machine. */
export interface SensorContext {
  readonly root: SysRoot;
  /** Nanoseconds of a clock that never steps. */
  readonly monotonicNs: () => number;
}

/** One quantity that a source gives on this machine. */
export interface Probe {
  /** Dotted name; made unique where several probes have one. */
  readonly name: string;
  readonly unit: ReadingUnit;
  readonly kind: ReadingKind;
  /** Where it is read. */
  readonly source: string;
  /** Of probes that tell energy or power. */
  readonly energy?: { readonly covers: EnergyCover; readonly intervalMs: number };
  /** The value in `unit` now; of a counter, since the first call. */
  read(): Measured;
}

/** What a person must give so that a source can be read. */
export interface SensorRight {
  /** Why the files are closed. */
  readonly why: string;
  /** Opens them to the person's own group until the next start of the machine. */
  readonly command: string;
  /** Lines of tmpfiles.d that open them to a group at every start. */
  readonly tmpfiles: (group: string) => string[];
}

/** One kind of sensor: a row of the table that discovery, documentation and tests loop over. */
export interface SensorSource {
  readonly id: string;
  /** What its probes tell; where no source of a quantity finds anything, one reading of this name says why. */
  readonly quantity: 'memory' | 'thermal' | 'frequency' | 'pressure' | 'energy';
  readonly what: string;
  /** Files that it reads. */
  readonly files: string;
  /** Names of its readings. */
  readonly names: string;
  readonly unit: ReadingUnit;
  readonly kind: ReadingKind;
  /** How often the value changes. */
  readonly interval: string;
  /** Why it may find nothing. */
  readonly absent: string;
  readonly right?: SensorRight;
  /** What this machine has of it, in a stable order. */
  find(context: SensorContext): Probe[];
}
