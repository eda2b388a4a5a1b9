import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../../lib/core/rng';
import { writeNpz } from '../../lib/data/npz';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { writeModel } from '../../lib/onnx/write-model';

/** Weights [inputs, outputs] and biases of a fully connected layer. */
interface Dense {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: readonly number[];
  readonly biases: readonly number[];
}

function dense(inputs: number, outputs: number, rng: Rng): Dense {
  const draw = (count: number) => Array.from({ length: count }, () => Math.fround(rng.normal()));
  return { inputs, outputs, weights: draw(inputs * outputs), biases: draw(outputs) };
}

const rng = new Rng(5);
export const LAYERS = [dense(8, 16, rng), dense(16, 3, rng)] as const;

/** Logits of the toy network in plain float64: the oracle. */
export function toyLogits(x: readonly number[]): number[] {
  const apply = ({ inputs, outputs, weights, biases }: Dense, values: readonly number[]) =>
    Array.from({ length: outputs }, (_, column) => {
      let sum = biases[column];
      for (let row = 0; row < inputs; row++) sum += values[row] * weights[row * outputs + column];
      return sum;
    });
  const hidden = apply(LAYERS[0], x).map((value) => Math.max(0, value));
  return apply(LAYERS[1], hidden);
}

/** The toy network x [N, 8] -> Gemm -> Relu -> Gemm -> logits [N, 3]; `weights` replaces those of the first layer. */
export function toyGraph(weights: readonly number[] = LAYERS[0].weights): Graph {
  const builder = new GraphBuilder();
  const layer = (input: string, { inputs, outputs, biases }: Dense, values: readonly number[], output: string) =>
    builder.node(
      'Gemm',
      [
        input,
        builder.initializer(tensorFrom('float32', [inputs, outputs], values), `${output}_weights`),
        builder.initializer(tensorFrom('float32', [outputs], biases), `${output}_bias`),
      ],
      {},
      { outputs: [output] },
    );
  const hidden = builder.node('Relu', [layer(builder.input('x', 'float32', ['N', 8]), LAYERS[0], weights, 'hidden')]);
  builder.output(layer(hidden, LAYERS[1], LAYERS[1].weights, 'logits'), 'float32', ['N', 3]);
  return builder.build();
}

/** Seeded samples [count, 8]. */
export function toySamples(count: number, seed: number): number[][] {
  const draw = new Rng(seed);
  return Array.from({ length: count }, () => Array.from({ length: 8 }, () => Math.fround(draw.normal())));
}

function toyLabel(x: readonly number[]): number {
  const logits = toyLogits(x);
  return logits.indexOf(Math.max(...logits));
}

/** Bytes of an .npz file with these samples, and their labels when given. */
export function npzOf(samples: readonly (readonly number[])[], labels?: readonly number[]): Uint8Array {
  const arrays: [string, Tensor][] = [['x', tensorFrom('float32', [samples.length, 8], samples.flat())]];
  if (labels) arrays.push(['labels', tensorFrom('int64', [labels.length], labels)]);
  return writeNpz(new Map(arrays));
}

/** Samples that the network is judged by. */
export const TEST_SAMPLES = toySamples(60, 2);
/** Labels of TEST_SAMPLES: those of the network, but every tenth is wrong, so that its accuracy is 90 %. */
export const TEST_LABELS = TEST_SAMPLES.map((x, index) => (toyLabel(x) + Number(index % 10 === 0)) % 3);

/** A new folder with toy.onnx, calib.npz (no labels) and test.npz (labelled). */
export function toyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hone-toy-'));
  writeFileSync(join(folder, 'toy.onnx'), writeModel(toyGraph()));
  writeFileSync(join(folder, 'calib.npz'), npzOf(toySamples(80, 1)));
  writeFileSync(join(folder, 'test.npz'), npzOf(TEST_SAMPLES, TEST_LABELS));
  return folder;
}
