import type { ClassesSpec } from '../output-spec';
import { activate } from './activation';
import { badOutput, type OutputArray } from './output-array';
import { ranking } from './ranking';

/** One class and how likely it is. */
export interface ClassScore {
  readonly class: number;
  /** Its name, when the spec has names. */
  readonly label?: string;
  readonly score: number;
}

/** The best classes of one sample. */
export interface DecodedClasses {
  readonly kind: 'classes';
  readonly classes: readonly ClassScore[];
}

/**
 * The best `top` classes of one sample, best first; the first of equals comes first, NaN last. Every number of the output is the
 * score of a class.
 * @throws E_OPTION_VALUE when there are not as many labels
 */
export function decodeClasses(spec: ClassesSpec, name: string, { dims, data }: OutputArray): DecodedClasses {
  requireLabels(spec.labels, data.length, name, dims);
  const scores = activate(spec.activation, data);
  const best = ranking(scores).slice(0, spec.top);
  return { kind: 'classes', classes: best.map((index) => scoreOf(index, scores[index], spec.labels)) };
}

/** A class with its label, if it has one. */
export function scoreOf(index: number, score: number, labels: readonly string[] | undefined): ClassScore {
  return { class: index, ...(labels && { label: labels[index] }), score };
}

/** @throws E_OPTION_VALUE when there are labels, but not one for each class */
export function requireLabels(
  labels: readonly string[] | undefined,
  count: number,
  name: string,
  dims: readonly number[],
): void {
  if (labels !== undefined && labels.length !== count)
    throw badOutput('labels', `one label for each class, not ${labels.length}`, name, dims);
}
