import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { glorotUniform, heNormal, zeros } from '../../lib/train/initialise';
import { datasetOf } from './digits';

/** Two layers over 6 features, for 3 classes. */
export function buildSmall(): Graph {
  const rng = new Rng(2);
  const builder = new GraphBuilder({ name: 'small' });
  const x = builder.input('x', 'float32', ['N', 6]);
  const first = builder.initializer(heNormal(rng, [6, 12], 'in-out'), 'first.weight');
  const shift = builder.initializer(zeros([12]), 'first.bias');
  const hidden = builder.node('Relu', [builder.node('Add', [builder.node('MatMul', [x, first]), shift])]);
  const second = builder.initializer(glorotUniform(rng, [3, 12]), 'second.weight');
  builder.output(builder.node('Gemm', [hidden, second], { transB: 1 }), 'float32', ['N', 3]);
  return builder.build();
}

/** Like `buildSmall`, with BatchNormalization (two nodes that share all their constants) and Dropout. */
export function buildNormalized(): Graph {
  const rng = new Rng(4);
  const builder = new GraphBuilder({ name: 'normalized' });
  const [one, zero] = [new Array<number>(12).fill(1), new Array<number>(12).fill(0)];
  const scale = builder.initializer(tensorFrom('float32', [12], one), 'norm.scale');
  const shift = builder.initializer(tensorFrom('float32', [12], zero), 'norm.shift');
  const normalize = (value: string) =>
    builder.node('BatchNormalization', [value, scale, shift, shift, scale], {
      momentum: { kind: 'float', value: 0.8 },
    });
  const dense = (value: string, name: string, inputs: number, outputs: number) =>
    builder.node('Gemm', [value, builder.initializer(heNormal(rng, [outputs, inputs]), name)], { transB: 1 });
  const ratio = builder.initializer(tensorFrom('float32', [], [0.25]), 'ratio');
  const x = builder.input('x', 'float32', ['N', 6]);
  const first = builder.node('Relu', [normalize(dense(x, 'first.weight', 6, 12))]);
  const second = builder.node('Relu', [normalize(dense(first, 'second.weight', 12, 12))]);
  const kept = builder.node('Dropout', [second, ratio]);
  builder.output(builder.node('Softmax', [dense(kept, 'third.weight', 12, 3)]), 'float32', ['N', 3]);
  return builder.build();
}

/** Points around three centres, so that the classes can be told apart. */
export function clusters(count: number): Dataset {
  const rng = new Rng(7);
  const centres = Float32Array.from({ length: 18 }, () => rng.normal());
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const samples = Float32Array.from({ length: count * 6 }, (_, i) => {
    return centres[(Math.floor(i / 6) % 3) * 6 + (i % 6)] + 0.3 * rng.normal();
  });
  return datasetOf(samples, [6], labels);
}

/** Names and bytes of all initializers. */
export function bytesOf(graph: Graph): string[] {
  return [...graph.initializers].map(([name, { bytes }]) => `${name}:${Buffer.from(bytes).toString('base64')}`);
}
