import { type EnergyTotal, energyPerInference, energyWindowMs } from './energy';
import type { EnergyPerInference, EnergyWindowSize, NoInferenceEnergy } from './sample';

/** What an energy source and the models had counted at one moment. */
interface EnergyMark extends EnergyTotal {
  /** Inferences since the start, by model; of one that was unloaded as many as it had. */
  readonly inferences: ReadonlyMap<string, number>;
}

/** The longest past that is kept; a source that needs more gives no figure. */
const LONGEST_MS = 60000;

/**
 * Energy of one inference over the last span that is long enough for the source, from marks of its counter and of the
 * inferences of all models. The source covers all of them: while several models run, what one inference takes cannot be told.
 */
export class EnergyHistory {
  private marks: EnergyMark[] = [];
  private idle: number | undefined;

  /** Adds the newest mark. A total that was not known, or a count that fell, begins a new past. */
  mark(mark: EnergyMark): void {
    const last = this.marks.at(-1);
    if (last !== undefined && !follows(mark, last)) this.marks = [];
    this.marks.push(mark);
    while (this.marks.length > 2 && spanMs(this.marks[0], mark) > LONGEST_MS) this.marks.shift();
    const start = this.start();
    if (start !== undefined && total(mark) === total(start))
      this.idle = (1000 * (mark.joules! - start.joules!)) / spanMs(start, mark);
  }

  /** Watts of the source over the last span that was long enough and saw no inference; undefined before the first. */
  get idleWatts(): number | undefined {
    return this.idle;
  }

  /** Joules of one inference of a model at the newest mark. */
  of(model: string): NoInferenceEnergy | (EnergyPerInference & EnergyWindowSize) {
    const end = this.marks.at(-1);
    if (end === undefined) return { joules: null, reason: 'nothing was measured yet' };
    if (end.joules === null) return { joules: null, reason: end.reason ?? 'the source gave no value' };
    const start = this.start() ?? this.marks[0];
    const inferences = countOf(end, model) - countOf(start, model);
    const others = [...end.inferences.keys()].filter(
      (name) => name !== model && countOf(end, name) > countOf(start, name),
    );
    if (others.length > 0 && inferences > 0)
      return { joules: null, reason: `${others.join(', ')} ran in the same window, and the source covers all of them` };
    const windowMs = spanMs(start, end);
    const joules = end.joules - start.joules!;
    const intervalMs = this.intervalSince(start);
    const energy = energyPerInference({ joules, inferences, windowMs, intervalMs, idleWatts: this.idle });
    return energy.joules === null ? energy : { ...energy, windowMs, inferences };
  }

  /** The newest mark from which the span to the last one is long enough for the source. */
  private start(): EnergyMark | undefined {
    const end = this.marks.at(-1)!;
    let intervalMs = 0;
    for (let at = this.marks.length - 1; at >= 0; at--) {
      const span = spanMs(this.marks[at], end);
      if (span > 0 && span >= energyWindowMs(intervalMs)) return this.marks[at];
      intervalMs = Math.max(intervalMs, this.marks[at].intervalMs);
    }
    return undefined;
  }

  private intervalSince(start: EnergyMark): number {
    return this.marks
      .slice(this.marks.indexOf(start) + 1)
      .reduce((longest, { intervalMs }) => Math.max(longest, intervalMs), 0);
  }
}

function follows(mark: EnergyMark, last: EnergyMark): boolean {
  if (mark.joules === null || last.joules === null || mark.joules < last.joules) return false;
  return [...last.inferences].every(([model, count]) => countOf(mark, model) >= count);
}

function spanMs(from: EnergyMark, to: EnergyMark): number {
  return (to.monotonicNs - from.monotonicNs) / 1e6;
}

function countOf({ inferences }: EnergyMark, model: string): number {
  return inferences.get(model) ?? 0;
}

function total({ inferences }: EnergyMark): number {
  let sum = 0;
  for (const count of inferences.values()) sum += count;
  return sum;
}
