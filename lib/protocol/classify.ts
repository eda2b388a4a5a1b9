import type { Datatype } from '../core/datatype';
import { decodeFloat16 } from '../core/half';
import { elementsIn, type OutputTensor } from './tensor';

/** The best classes as texts, in row-major order of `shape`. */
export interface Classes {
  readonly shape: readonly number[];
  readonly texts: readonly string[];
}

/**
 * The `count` highest scores along the axis of the classes, best first, each as `score:index`, or `score:index:label` where there
 * is a label (Triton's classification extension). The axis is the last one that is longer than 1, the first one never being it where
 * there are several; ties go to the lower index; fewer classes give fewer texts. Floats have six decimals, as in Triton. Elements are finite, and not BOOL.
 */
export function classify(
  datatype: Datatype,
  { shape, data }: OutputTensor,
  count: number,
  labels?: readonly string[],
): Classes {
  const axis = classAxis(shape);
  const classes = shape[axis] ?? 1;
  const rows = classes === 0 ? 0 : elementsIn(shape) / classes;
  const kept = Math.min(count, classes);
  const scores: ArrayLike<number | bigint> =
    datatype === 'FP16' ? Float32Array.from(data as Uint16Array, decodeFloat16) : data;
  const isFloat = datatype === 'FP16' || datatype === 'FP32';
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const first = row * classes;
    for (const index of bestOf(scores, first, classes, kept)) {
      const score = scores[first + index];
      const label = labels?.[index];
      texts.push(`${isFloat ? sixDecimals(score as number) : score}:${index}${label === undefined ? '' : `:${label}`}`);
    }
  }
  return { shape: [...shape.slice(0, axis), kept], texts };
}

function classAxis(shape: readonly number[]): number {
  let axis = shape.length - 1;
  while (axis > 1 && shape[axis] === 1) axis--;
  return Math.max(axis, 0);
}

/** Indices of the `kept` highest of `classes` scores from `first` on. */
function bestOf(scores: ArrayLike<number | bigint>, first: number, classes: number, kept: number): number[] {
  const indices = Array.from({ length: classes }, (_, index) => index);
  // A stable sort leaves ties in the order of their index; -0 and 0 are one score.
  indices.sort((a, b) => {
    const [left, right] = [scores[first + a], scores[first + b]];
    return left > right ? -1 : left < right ? 1 : 0;
  });
  return indices.slice(0, kept);
}

/** As `%f` of C has it, all digits of large numbers included. */
function sixDecimals(value: number): string {
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
