import { Rng } from '../lib/core/rng';
import { GraphBuilder } from '../lib/ir/builder';
import type { Dim } from '../lib/ir/graph';
import { tensorFrom } from '../lib/ir/tensor';
import { writeModel } from '../lib/onnx/write-model';

/** How pictures become the input of such a model. */
export const SPEC = {
  size: [6, 8],
  resize: 'letterbox',
  channels: 'BGR',
  scale: 1 / 255,
  mean: 0.4,
  std: [0.2, 0.3, 0.4],
};

/** y [1, 5, 2] = every pixel of x, weighed. */
export function pictureModel(
  type: 'float32' | 'uint8',
  dims: readonly Dim[],
  metadata: Record<string, object>,
): Uint8Array {
  const rng = new Rng(21);
  const weighing = Array.from({ length: 1440 }, () => Math.fround(rng.normal()));
  const builder = new GraphBuilder();
  const input = builder.input('x', type, dims);
  const x = type === 'uint8' ? builder.node('Cast', [input], { to: 1 }) : input;
  const weights = builder.initializer(tensorFrom('float32', [144, 10], weighing));
  const shape = builder.initializer(tensorFrom('int64', [3], [1, 5, 2]));
  const rows = builder.initializer(tensorFrom('int64', [2], [1, 144]));
  const sums = builder.node('MatMul', [builder.node('Reshape', [x, rows]), weights]);
  const y = builder.node('Reshape', [builder.node('Sigmoid', [sums]), shape], {}, { outputs: ['y'] });
  builder.output(y, 'float32', [1, 5, 2]);
  for (const [key, value] of Object.entries(metadata)) builder.setMetadata(key, JSON.stringify(value));
  return writeModel(builder.build());
}
