import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { heNormal, zeros } from '../../lib/train/initialise';

/**
 * Untrained LeNet-300-100 (266,610 parameters): input `x` `[N, 1, 28, 28]` with pixels in [0, 1], three connected layers with
 * Relu between them, output `logits` `[N, 10]`.
 */
export function buildLenet300(seed: number): Graph {
  const rng = new Rng(seed);
  const builder = new GraphBuilder({ name: 'lenet300' });
  const connect = (input: string, name: string, inputs: number, outputs: number, output?: string): string => {
    const weight = builder.initializer(heNormal(rng, [outputs, inputs]), `${name}.weight`);
    const bias = builder.initializer(zeros([outputs]), `${name}.bias`);
    const named = output === undefined ? {} : { outputs: [output] };
    return builder.node('Gemm', [input, weight, bias], { transB: 1 }, named);
  };
  const x = builder.input('x', 'float32', ['N', 1, 28, 28]);
  const flat = builder.node('Flatten', [x]);
  const first = builder.node('Relu', [connect(flat, 'fc1', 784, 300)]);
  const second = builder.node('Relu', [connect(first, 'fc2', 300, 100)]);
  builder.output(connect(second, 'fc3', 100, 10, 'logits'), 'float32', ['N', 10]);
  return builder.build();
}
