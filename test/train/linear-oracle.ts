import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom, tensorOf, viewAs } from '../../lib/ir/tensor';
import { meanSquaredError } from '../../lib/train/losses';
import type { TrainOptions } from '../../lib/train/train-options';

const [FEATURES, UNITS] = [3, 2];

/** `y = x w` with `w` `[3, 2]`: small enough to train by hand. */
export function buildLinear(): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', FEATURES]);
  const w = builder.initializer(tensorFrom('float32', [FEATURES, UNITS], [0.5, -0.4, 0.3, 0.2, -0.1, 0.6]), 'w');
  builder.output(builder.node('MatMul', [x, w]), 'float32', ['N', UNITS]);
  return builder.build();
}

/** Random samples with random targets in the array `target`. */
export function regressionData(count: number): Dataset {
  const rng = new Rng(11);
  const draw = (width: number) =>
    tensorOf(
      'float32',
      [count, width],
      Float32Array.from({ length: count * width }, () => rng.normal()),
    );
  return datasetFromTensors(
    'memory',
    new Map([
      ['x', draw(FEATURES)],
      ['target', draw(UNITS)],
    ]),
  );
}

export const LINEAR_OPTIONS = {
  epochs: 2,
  batchSize: 4,
  learningRate: 0.1,
  seed: 3,
  loss: meanSquaredError({ target: 'target' }),
} satisfies TrainOptions;

/** Everything that one step of `trainLinear` may look at or change. */
export interface LinearState {
  w: number[];
  /** Steps done. */
  step: number;
}

/**
 * Trains `buildLinear` in float64 in plain loops: `seen` gives the weights of the forward pass, `update` gets the gradient at
 * them.
 */
export async function trainLinear(
  dataset: Dataset,
  state: LinearState,
  seen: () => number[],
  update: (gradient: number[], batch: number) => void,
): Promise<void> {
  const orders = new Rng(LINEAR_OPTIONS.seed);
  for (let epoch = 0; epoch < LINEAR_OPTIONS.epochs; epoch++)
    for await (const { inputs } of dataset.batches({ size: LINEAR_OPTIONS.batchSize, seed: orders.nextUint32() })) {
      const [x, target] = ['x', 'target'].map((name) => viewAs(inputs.get(name)!, 'float32'));
      const w = seen();
      const gradient = w.map(() => 0);
      const scale = 2 / target.length;
      for (let i = 0; i < target.length; i++) {
        const [row, unit] = [Math.floor(i / UNITS), i % UNITS];
        let error = -target[i];
        for (let k = 0; k < FEATURES; k++) error += x[row * FEATURES + k] * w[k * UNITS + unit];
        for (let k = 0; k < FEATURES; k++) gradient[k * UNITS + unit] += scale * error * x[row * FEATURES + k];
      }
      update(gradient, state.step++);
    }
}
