import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { heNormal, zeros } from '../../lib/train/initialise';

/**
 * Untrained LeNet-5 in the form of the Caffe examples (20 and 50 filters, 500 units; 431,080 parameters): input `x`
 * `[N, 1, 28, 28]` with pixels in [0, 1], output `logits` `[N, 10]`. Relu stands behind the pooling, where it has a quarter
 * of the work and the same value.
 */
export function buildLenet5(seed: number): Graph {
  const rng = new Rng(seed);
  const builder = new GraphBuilder({ name: 'lenet5' });
  const convolve = (input: string, name: string, filters: number, channels: number): string => {
    const weight = builder.initializer(heNormal(rng, [filters, channels, 5, 5]), `${name}.weight`);
    const bias = builder.initializer(zeros([filters]), `${name}.bias`);
    const sums = builder.node('Conv', [input, weight, bias], { kernel_shape: [5, 5] });
    const pooled = builder.node('MaxPool', [sums], { kernel_shape: [2, 2], strides: [2, 2] });
    return builder.node('Relu', [pooled]);
  };
  const connect = (input: string, name: string, inputs: number, outputs: number, output?: string): string => {
    const weight = builder.initializer(heNormal(rng, [outputs, inputs]), `${name}.weight`);
    const bias = builder.initializer(zeros([outputs]), `${name}.bias`);
    return builder.node(
      'Gemm',
      [input, weight, bias],
      { transB: 1 },
      output === undefined ? {} : { outputs: [output] },
    );
  };
  const x = builder.input('x', 'float32', ['N', 1, 28, 28]);
  const features = convolve(convolve(x, 'conv1', 20, 1), 'conv2', 50, 20);
  const flat = builder.node('Flatten', [features]);
  const hidden = builder.node('Relu', [connect(flat, 'fc1', 800, 500)]);
  builder.output(connect(hidden, 'fc2', 500, 10, 'logits'), 'float32', ['N', 10]);
  return builder.build();
}
