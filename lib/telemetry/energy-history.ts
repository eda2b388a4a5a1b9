import { type EnergyTotal, type EnergyWindow, energyPerInference, isLongEnough } from './energy';
import type { EnergyPerInference, EnergyWindowSize, NoInferenceEnergy } from './sample';

/** What an energy source and the models had counted at one moment. */
interface EnergyMark extends EnergyTotal {
  /** Inferences since the start, by model; of one that was unloaded as many as it had. */
  readonly inferences: ReadonlyMap<string, number>;
}

/** A mark at which a window may begin. */
interface Start {
  readonly mark: EnergyMark;
  /** Longest time between two values from there to the next start, or to the newest mark. */
  longestMs: number;
}

/** Windows begin no closer to each other than this, so that frequent marks cost no memory. */
const SPACING_MS = 100;
/** The longest past that is kept; a source that needs more gives no figure. */
const LONGEST_MS = 60000;

/**
 * Energy of one inference over the last span that is long enough for the source, from marks of its total and of the
 * inferences of all models. The source covers all of them: while several models run, what one inference takes cannot be told.
 */
export class EnergyHistory {
  /** Oldest first; those before the last from which the span is long enough are forgotten. */
  private starts: Start[] = [];
  private end: EnergyMark | undefined;
  private idle: number | undefined;

  /** Adds the newest mark. A total that was not known, or a count that fell, begins a new past. */
  mark(mark: EnergyMark): void {
    if (this.end !== undefined && !follows(mark, this.end)) this.starts = [];
    this.end = mark;
    const last = this.starts.at(-1);
    if (last !== undefined) last.longestMs = Math.max(last.longestMs, mark.longestMs);
    if (last === undefined || spanMs(last.mark, mark) >= SPACING_MS) this.starts.push({ mark, longestMs: 0 });
    while (this.starts.length > 1 && (this.reaches(1) || spanMs(this.starts[0].mark, mark) > LONGEST_MS))
      this.starts.shift();
    const start = this.starts[0].mark;
    if (this.reaches(0) && total(mark) === total(start))
      this.idle = (1000 * (mark.joules! - start.joules!)) / spanMs(start, mark);
  }

  /** Watts of the source over the last span that was long enough and saw no inference; undefined before the first. */
  get idleWatts(): number | undefined {
    return this.idle;
  }

  /** Joules of one inference of a model at the newest mark. */
  of(model: string): NoInferenceEnergy | (EnergyPerInference & EnergyWindowSize) {
    const { end } = this;
    if (end === undefined) return { joules: null, reason: 'nothing was measured yet' };
    if (end.joules === null) return { joules: null, reason: end.reason ?? 'the source gave no value' };
    const start = this.starts[0].mark;
    const inferences = countOf(end, model) - countOf(start, model);
    const others = [...end.inferences.keys()].filter(
      (name) => name !== model && countOf(end, name) > countOf(start, name),
    );
    if (others.length > 0 && inferences > 0)
      return { joules: null, reason: `${others.join(', ')} ran in the same window, and the source covers all of them` };
    const window = { ...this.window(0, end), inferences, idleWatts: this.idle };
    const energy = energyPerInference(window);
    return energy.joules === null ? energy : { ...energy, windowMs: window.windowMs, inferences };
  }

  private reaches(index: number): boolean {
    return this.end !== undefined && isLongEnough(this.window(index, this.end));
  }

  private window(index: number, end: EnergyMark): Omit<EnergyWindow, 'inferences'> {
    const start = this.starts[index].mark;
    return {
      joules: (end.joules ?? 0) - (start.joules ?? 0),
      windowMs: spanMs(start, end),
      values: end.values - start.values,
      longestMs: this.starts.slice(index).reduce((longest, { longestMs }) => Math.max(longest, longestMs), 0),
    };
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
