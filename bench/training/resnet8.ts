import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { heNormal, zeros } from '../../lib/train/initialise';

/**
 * Untrained ResNet-8 of MLPerf Tiny for CIFAR-10 (Banbury et al. 2021): a first convolution and three residual stacks with
 * 16, 32 and 64 channels, batch normalization behind every 3x3 convolution, shortcuts by 1x1 convolutions of stride 2,
 * global average pooling and one connected layer (77,946 parameters). Input `x` `[N, 3, 32, 32]`, output `logits` `[N, 10]`.
 */
export function buildResNet8(seed: number): Graph {
  const rng = new Rng(seed);
  const builder = new GraphBuilder({ name: 'resnet8' });
  let convolutions = 0;

  const convolve = (input: string, channels: number, filters: number, stride: number): string => {
    const name = `conv${++convolutions}`;
    const weight = builder.initializer(heNormal(rng, [filters, channels, 3, 3]), `${name}.weight`);
    // The padding of stride 2 over even extents stands behind the input, as in the published model.
    const sums = builder.node('Conv', [input, weight], {
      kernel_shape: [3, 3],
      strides: [stride, stride],
      pads: stride === 1 ? [1, 1, 1, 1] : [0, 0, 1, 1],
    });
    const filled = (what: string, value: number) =>
      builder.initializer(tensorFrom('float32', [filters], Array(filters).fill(value)), `${name}.${what}`);
    const parameters = [filled('scale', 1), filled('shift', 0), filled('mean', 0), filled('variance', 1)];
    return builder.node('BatchNormalization', [sums, ...parameters]);
  };
  const shorten = (input: string, channels: number, filters: number, name: string): string => {
    const weight = builder.initializer(heNormal(rng, [filters, channels, 1, 1]), `${name}.weight`);
    const bias = builder.initializer(zeros([filters]), `${name}.bias`);
    return builder.node('Conv', [input, weight, bias], { kernel_shape: [1, 1], strides: [2, 2] });
  };

  let features = builder.node('Relu', [convolve(builder.input('x', 'float32', ['N', 3, 32, 32]), 3, 16, 1)]);
  [16, 32, 64].forEach((filters, stack) => {
    const channels = stack === 0 ? 16 : filters / 2;
    const inner = builder.node('Relu', [convolve(features, channels, filters, stack === 0 ? 1 : 2)]);
    const residual = convolve(inner, filters, filters, 1);
    const shortcut = stack === 0 ? features : shorten(features, channels, filters, `shortcut${stack}`);
    features = builder.node('Relu', [builder.node('Add', [residual, shortcut])]);
  });
  const flat = builder.node('Flatten', [builder.node('GlobalAveragePool', [features])]);
  const weight = builder.initializer(heNormal(rng, [10, 64]), 'connected.weight');
  const bias = builder.initializer(zeros([10]), 'connected.bias');
  const logits = builder.node('Gemm', [flat, weight, bias], { transB: 1 }, { outputs: ['logits'] });
  builder.output(logits, 'float32', ['N', 10]);
  return builder.build();
}
