import { Rng } from '../../lib/core/rng';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf } from '../../lib/ir/tensor';
import { NetworkBuilder, randomTensor } from '../compress/quantize/networks';

/** A float network that onnxruntime's integer kernels or fusions get wrong once it is quantized, and samples for it. */
export interface FragileNetwork {
  readonly graph: Graph;
  /** `[count, ...]` of its only input, `x`. */
  readonly samples: Tensor;
}

const SAMPLES = 64;

/** Numbers in [low, high]. */
function uniform(dims: readonly number[], low: number, high: number, seed: number): Tensor {
  const rng = new Rng(seed);
  return tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => low + (high - low) * rng.uniform()),
  );
}

/** Layers whose weights are near the end of their range in one direction, on inputs that are too: pairs of products saturate. */
function onesidedPerceptron(): FragileNetwork {
  const net = new NetworkBuilder({ name: 'perceptron' });
  net.input('x', 'float32', ['N', 48]);
  const layer = (input: string, name: string, dims: readonly [number, number], sign: 1 | -1, seed: number) => {
    const weights = net.initializer(uniform(dims, sign * 0.04, sign * 0.05, seed), `${name}_w`);
    const bias = net.initializer(uniform([dims[1]], -1, 1, seed + 1), `${name}_b`);
    return net.node('Gemm', [input, weights, bias], {}, { outputs: [name] });
  };
  const hidden = net.apply('Relu', 'hidden', layer('x', 'first', [48, 32], 1, 1));
  const second = net.apply('Relu', 'second_relu', layer(hidden, 'second', [32, 16], 1, 3));
  layer(second, 'y', [16, 6], -1, 5);
  return { graph: net.finish('y'), samples: uniform([SAMPLES, 48], 0, 1, 7) };
}

/** Convolutions that sum up bright pictures. */
function blurringConvolutions(): FragileNetwork {
  const net = new NetworkBuilder({ name: 'blur' });
  net.input('x', 'float32', ['N', 3, 10, 10]);
  const blur = (input: string, name: string, channels: number, filters: number, seed: number) => {
    const weights = net.initializer(uniform([filters, channels, 3, 3], 0.08, 0.1, seed), `${name}_w`);
    const bias = net.initializer(uniform([filters], -2, 0, seed + 1), `${name}_b`);
    return net.node('Conv', [input, weights, bias], { pads: [1, 1, 1, 1] }, { outputs: [name] });
  };
  const first = net.apply('Relu', 'relu1', blur('x', 'conv1', 3, 8, 11));
  const second = net.apply('Relu', 'relu2', blur(first, 'conv2', 8, 8, 13));
  const flat = net.apply('Flatten', 'flat', net.apply('GlobalAveragePool', 'pooled', second));
  net.dense('y', flat, 8, 5);
  return { graph: net.finish('y'), samples: uniform([SAMPLES, 3, 10, 10], 0.5, 1, 15) };
}

/** A transformer's feed-forward block without its attention, gate open most of the time. */
function gatedProducts(): FragileNetwork {
  const net = new NetworkBuilder({ name: 'gated' });
  net.input('x', 'float32', ['N', 5, 24]);
  const product = (input: string, name: string, dims: readonly [number, number], seed: number) =>
    net.node('MatMul', [input, net.initializer(uniform(dims, 0.05, 0.06, seed), `${name}_w`)], {}, { outputs: [name] });
  const gate = net.apply('Sigmoid', 'gate', product('x', 'gate_in', [24, 32], 21));
  const up = product('x', 'up', [24, 32], 22);
  net.node('Mul', [gate, up], {}, { outputs: ['gated'] });
  product('gated', 'y', [32, 24], 23);
  return { graph: net.finish('y'), samples: uniform([SAMPLES, 5, 24], 0.2, 1, 24) };
}

/** Networks whose products saturate where x86 has no 8-bit dot products. */
export const SATURATING: Readonly<Record<string, () => FragileNetwork>> = {
  'one-sided perceptron': onesidedPerceptron,
  'blurring convolutions': blurringConvolutions,
  'gated products': gatedProducts,
};

/** conv -> relu -> what `middle` adds -> conv -> global average -> dense, on pictures `[N, 3, 8, 8]`. */
function around(middle: (net: NetworkBuilder, input: string) => string): () => FragileNetwork {
  return () => {
    const net = new NetworkBuilder({ name: 'around' });
    net.input('x', 'float32', ['N', 3, 8, 8]);
    const before = net.apply('Relu', 'relu1', net.conv('conv1', 'x', 3, 6));
    const after = net.apply('Relu', 'relu2', net.conv('conv2', middle(net, before), 6, 6));
    net.dense('y', net.apply('Flatten', 'flat', net.apply('GlobalAveragePool', 'pooled', after)), 6, 5);
    return { graph: net.finish('y'), samples: randomTensor(new Rng(31), [SAMPLES, 3, 8, 8]) };
  };
}

/** MatMul between two others, with one matrix of weights for each of `batch`. */
function batchedProducts(batch: readonly number[], rows: readonly number[]): () => FragileNetwork {
  return () => {
    const rng = new Rng(41);
    const net = new NetworkBuilder({ name: 'batched' });
    net.input('x', 'float32', ['N', ...rows, 12]);
    const product = (input: string, name: string, dims: readonly number[]) =>
      net.node('MatMul', [input, net.initializer(randomTensor(rng, dims, 0.4), `${name}_w`)], {}, { outputs: [name] });
    product(product(product('x', 'first', [12, 10]), 'batched', [...batch, 10, 8]), 'y', [8, 4]);
    return { graph: net.finish('y'), samples: randomTensor(rng, [SAMPLES, ...rows, 12]) };
  };
}

const ints = (net: NetworkBuilder, ...values: number[]) =>
  net.initializer(tensorFrom('int64', [values.length], values));
const floats = (net: NetworkBuilder, ...values: number[]) =>
  net.initializer(tensorFrom('float32', [values.length], values));

/** Networks that onnxruntime refuses or breaks off, once it fuses their quantized form. */
export const UNFUSABLE: Readonly<Record<string, () => FragileNetwork>> = {
  'MatMul with weights [1, K, N]': batchedProducts([1], [7]),
  'MatMul with weights [B, K, N]': batchedProducts([7], [7, 3]),
  'MatMul with weights [B, 1, K, N]': batchedProducts([3, 1], [3, 2, 5]),
  'Pad of opset 18 with axes, which adds and crops': around((net, input) =>
    net.node('Pad', [input, ints(net, 1, -1, 1, -1), '', ints(net, 2, 3)], {}, { outputs: ['padded'] }),
  ),
  'Pad with axes, by reflection': around((net, input) =>
    net.node('Pad', [input, ints(net, 2, 1), '', ints(net, 3)], { mode: 'reflect' }, { outputs: ['padded'] }),
  ),
  'Resize, cubic, smaller, without what lies outside': around((net, input) =>
    net.node(
      'Resize',
      [input, '', floats(net, 1, 1, 0.75, 0.75)],
      { mode: 'cubic', exclude_outside: 1 },
      { outputs: ['resized'] },
    ),
  ),
  'Resize that keeps the aspect, not larger than the sizes': around((net, input) =>
    net.node(
      'Resize',
      [input, '', '', ints(net, 12, 6)],
      { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' },
      { outputs: ['resized'] },
    ),
  ),
  'AveragePool with dilations': around((net, input) =>
    net.node('AveragePool', [input], { kernel_shape: [2, 2], dilations: [2, 3] }, { outputs: ['average'] }),
  ),
  'AveragePool with dilations, pads and ceiling': around((net, input) =>
    net.node(
      'AveragePool',
      [input],
      { kernel_shape: [3, 3], dilations: [2, 2], pads: [1, 1, 1, 1], strides: [2, 2], ceil_mode: 1 },
      { outputs: ['average'] },
    ),
  ),
};

/** conv -> relu -> a mask far below the data -> MaxPool -> global average -> dense. */
function masking(value: number): () => FragileNetwork {
  return () => {
    const net = new NetworkBuilder({ name: 'masking' });
    net.input('x', 'float32', ['N', 3, 8, 8]);
    const largest = masked(net, net.apply('Relu', 'relu1', net.conv('conv1', 'x', 3, 6)), value);
    const average = net.apply('GlobalAveragePool', 'average', largest);
    net.dense('y', net.apply('Flatten', 'flat', average), 6, 5);
    return { graph: net.finish('y'), samples: randomTensor(new Rng(51), [SAMPLES, 3, 8, 8]) };
  };
}

/** Masks that the ranges of quantization take for data: the average behind them has another range by many powers of ten. */
export const MASKED: Readonly<Record<string, () => FragileNetwork>> = {
  '-1e9 added in front of MaxPool and average': masking(-1e9),
  '-3e38 added in front of MaxPool and average': masking(-3e38),
};

/** The largest of each 2x2 window, with a corner of the picture masked away. */
function masked(net: NetworkBuilder, input: string, value: number): string {
  const mask = new Array(64).fill(0).map((_, index) => (index % 8 === 7 && index % 16 < 8 ? value : 0));
  net.node('Add', [input, net.initializer(tensorFrom('float32', [1, 1, 8, 8], mask))], {}, { outputs: ['masked'] });
  return net.node('MaxPool', ['masked'], { kernel_shape: [2, 2], strides: [2, 2] }, { outputs: ['largest'] });
}
