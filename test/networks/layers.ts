import { Rng } from '../../lib/core/rng';
import type { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import { elementCount, tensorFrom } from '../../lib/ir/tensor';

/** Images [N, channels, height, width] of a network under construction. */
export interface Images {
  readonly value: string;
  readonly channels: number;
}

export interface ConvOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  /** Elements of padding on each side; half the kernel unless told. */
  readonly pad?: number;
  /** Size of what BatchNormalization gives; a bias in its place where 0. */
  readonly gain?: number;
}

/** Adds layers with seeded weights, as frameworks export them: every convolution with a BatchNormalization behind it. */
export class Layers {
  readonly b = new GraphBuilder({ opset: 17 });
  private readonly rng: Rng;

  constructor(seed: number) {
    this.rng = new Rng(seed);
  }

  images(size: number, channels = 3): Images {
    return { value: this.b.input('x', 'float32', ['N', channels, size, size]), channels };
  }

  /** Normal numbers around a mean. */
  numbers(dims: readonly number[], deviation: number, mean = 0): string {
    const data = Array.from({ length: elementCount(dims) }, () => mean + deviation * this.rng.normal());
    return this.b.initializer(tensorFrom('float32', dims, data), 'w');
  }

  ints(...values: readonly number[]): string {
    return this.b.initializer(tensorFrom('int64', [values.length], values), 'ints');
  }

  scalar(value: number): string {
    return this.b.initializer(tensorFrom('float32', [], [value]), 'number');
  }

  /** A node that keeps the channels. */
  apply(op: string, x: Images, values?: Parameters<typeof attributes>[0], ...others: readonly string[]): Images {
    return { ...x, value: this.b.node(op, [x.value, ...others], values) };
  }

  conv(x: Images, channels: number, options: ConvOptions = {}): Images {
    const { kernel = 1, stride = 1, groups = 1, pad = (kernel - 1) >> 1, gain = 1 } = options;
    const fan = (x.channels / groups) * kernel * kernel;
    const weights = this.numbers([channels, x.channels / groups, kernel, kernel], Math.sqrt(2 / fan));
    const inputs = [x.value, weights, ...(gain === 0 ? [this.numbers([channels], 0.1)] : [])];
    const value = this.b.node('Conv', inputs, {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group: groups,
    });
    return gain === 0 ? { value, channels } : this.batchNormalize({ value, channels }, gain);
  }

  private batchNormalize({ value, channels }: Images, gain: number): Images {
    const parameters = [this.numbers([channels], 0.1 * gain, gain), this.numbers([channels], 0.1)];
    const moments = [this.numbers([channels], 0.1), this.numbers([channels], 0.02, 1)];
    return { value: this.b.node('BatchNormalization', [value, ...parameters, ...moments]), channels };
  }

  relu(x: Images): Images {
    return this.apply('Relu', x);
  }

  relu6(x: Images): Images {
    return this.apply('Clip', x, {}, this.scalar(0), this.scalar(6));
  }

  add(a: Images, b: Images): Images {
    return this.apply('Add', a, {}, b.value);
  }

  multiply(a: Images, b: Images): Images {
    return this.apply('Mul', a, {}, b.value);
  }

  concat(...parts: readonly Images[]): Images {
    const value = this.b.node(
      'Concat',
      parts.map((part) => part.value),
      { axis: 1 },
    );
    return { value, channels: parts.reduce((sum, { channels }) => sum + channels, 0) };
  }

  halves(x: Images): readonly [Images, Images] {
    const channels = x.channels / 2;
    const [a, b] = this.b.nodes('Split', [x.value, this.ints(channels, channels)], 2, { axis: 1 });
    return [
      { value: a, channels },
      { value: b, channels },
    ];
  }

  maxPool(x: Images, kernel: number, stride: number, pad = (kernel - 1) >> 1): Images {
    const window = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] };
    return this.apply('MaxPool', x, window);
  }

  averagePool(x: Images): Images {
    return this.apply('AveragePool', x, { kernel_shape: [2, 2], strides: [2, 2] });
  }

  enlarge(x: Images, mode: 'nearest' | 'linear'): Images {
    const scales = this.b.initializer(tensorFrom('float32', [4], [1, 1, 2, 2]), 'scales');
    const values = mode === 'nearest' ? { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' } : {};
    return { ...x, value: this.b.node('Resize', [x.value, '', scales], { mode, ...values }) };
  }

  transposed(x: Images, channels: number): Images {
    const weights = this.numbers([x.channels, channels, 2, 2], Math.sqrt(2 / x.channels));
    const inputs = [x.value, weights, this.numbers([channels], 0.1)];
    return { value: this.b.node('ConvTranspose', inputs, { kernel_shape: [2, 2], strides: [2, 2] }), channels };
  }

  /** Features [..., inputs] times a matrix, with a bias. */
  dense(x: string, inputs: number, outputs: number): string {
    const product = this.b.node('MatMul', [x, this.numbers([inputs, outputs], Math.sqrt(1 / inputs))]);
    return this.b.node('Add', [product, this.numbers([outputs], 0.1)]);
  }

  /** Mean of each channel, logits and their softmax: both are outputs of the network. */
  classify(x: Images, classes: number): void {
    const { b } = this;
    const mean = b.node('Flatten', [b.node('GlobalAveragePool', [x.value])]);
    const weights = this.numbers([classes, x.channels], Math.sqrt(4 / x.channels));
    const logits = b.node('Gemm', [mean, weights, this.numbers([classes], 0.1)], { transB: 1 });
    b.output(logits);
    b.output(b.node('Softmax', [logits], { axis: -1 }));
  }
}
