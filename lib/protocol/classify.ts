import type { Datatype } from '../core/datatype';
import { decodeFloat16 } from '../core/half';
import { elementsIn, type OutputTensor, type TensorData } from './tensor';

/** The best classes as texts, in row-major order of `shape`. */
export interface Classes {
  readonly shape: readonly number[];
  readonly texts: readonly string[];
}

/**
 * The `count` highest scores along the axis of the classes, best first, each as `score:index`, or `score:index:label` where there
 * is a label (Triton's classification extension). The axis is the last one that is longer than 1, the first one never being it where
 * there are several; ties go to the lower index; fewer classes give fewer texts. Floats have six decimals, as in Triton. Elements are
 * finite, and not BOOL.
 */
export function classify(
  datatype: Datatype,
  { shape, data }: OutputTensor,
  count: number,
  labels?: readonly string[],
): Classes {
  const { axis, classes, rows } = classAxis(shape);
  const kept = Math.min(count, classes);
  const all: TensorData = datatype === 'FP16' ? Float32Array.from(data as Uint16Array, decodeFloat16) : data;
  const isFloat = datatype === 'FP16' || datatype === 'FP32';
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const scores = all.subarray(row * classes, (row + 1) * classes);
    for (const index of bestOf(scores, kept)) {
      const score = scores[index];
      const label = labels?.[index];
      texts.push(`${isFloat ? sixDecimals(score as number) : score}:${index}${label === undefined ? '' : `:${label}`}`);
    }
  }
  return { shape: [...shape.slice(0, axis), kept], texts };
}

/** Texts that `classify` makes of an output of this shape. */
export function countClasses(shape: readonly number[], count: number): number {
  const { classes, rows } = classAxis(shape);
  return rows * Math.min(count, classes);
}

/** The axis of the classes, its extent, and how often it is there. */
function classAxis(shape: readonly number[]): { axis: number; classes: number; rows: number } {
  let axis = Math.max(shape.length - 1, 0);
  while (axis > 1 && shape[axis] === 1) axis--;
  return { axis, classes: shape[axis] ?? 1, rows: elementsIn(shape.slice(0, axis)) };
}

/** Indices of the `kept` highest scores, best first, ties in the order of their index. */
function bestOf(scores: TensorData, kept: number): readonly number[] {
  // Sorting numbers alone is much faster than sorting indices by them.
  const least = scores.toSorted()[scores.length - kept];
  const best: number[] = [];
  const ties: number[] = [];
  for (let index = 0; index < scores.length; index++)
    if (scores[index] > least) best.push(index);
    else if (scores[index] === least && ties.length < kept) ties.push(index);
  best.sort((a, b) => (scores[a] > scores[b] ? -1 : scores[a] < scores[b] ? 1 : a - b));
  return [...best, ...ties].slice(0, kept);
}

/** As `%f` of C has it, all digits of large numbers included. */
function sixDecimals(value: number): string {
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
