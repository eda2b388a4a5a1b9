import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, tensorFrom, tensorOf } from '../../lib/ir/tensor';

interface ConvOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
}

/**
 * A small image network that meets every kernel of the engine with odd sizes:
 * input `x` `[1, 3, 21, 19]`, output `[1, 10]`.
 */
export function buildSampleNetwork(seed: number): Graph {
  const rng = new Rng(seed);
  const b = new GraphBuilder({ name: 'sample' });
  const weights = (dims: readonly number[]): string => {
    const fan = Math.sqrt(2 / elementCount(dims.slice(1)));
    const data = Float32Array.from({ length: elementCount(dims) }, () => rng.normal() * fan);
    return b.initializer(tensorOf('float32', dims, data), 'w');
  };
  const bias = (count: number): string =>
    b.initializer(
      tensorFrom(
        'float32',
        [count],
        Array.from({ length: count }, () => rng.normal() * 0.1),
      ),
      'b',
    );
  const conv = (x: string, inputs: number, outputs: number, options: ConvOptions = {}): string => {
    const { kernel = 3, stride = 1, dilation = 1, groups = 1 } = options;
    const pad = Math.floor(((kernel - 1) * dilation) / 2);
    const operands = [x, weights([outputs, inputs / groups, kernel, kernel]), bias(outputs)];
    return b.node('Conv', operands, {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      dilations: [dilation, dilation],
      pads: [pad, pad, pad, pad],
      group: groups,
    });
  };
  const relu = (x: string): string => b.node('Relu', [x]);
  const constant = (values: readonly number[]): string =>
    b.initializer(tensorFrom('int64', [values.length], values), 'axes');

  const x = b.input('x', 'float32', [1, 3, 21, 19]);
  const stem = relu(conv(x, 3, 16));
  const inner = relu(conv(stem, 16, 16));
  const residual = relu(b.node('Add', [conv(inner, 16, 16), stem]));
  const wide = relu(conv(residual, 16, 35, { kernel: 1 }));
  const depthwise = relu(conv(wide, 35, 35, { groups: 35 }));
  const large = relu(conv(depthwise, 35, 35, { kernel: 5, groups: 35, stride: 2 }));
  const grouped = relu(conv(large, 35, 21, { kernel: 3, groups: 7 }));
  const dilated = relu(conv(large, 35, 24, { dilation: 2 }));
  const joined = b.node('Concat', [grouped, dilated], { axis: 1 });
  const gate = b.node('Sigmoid', [conv(joined, 45, 45, { kernel: 1 })]);
  const gated = b.node('Mul', [joined, gate]);
  const pooled = b.node('MaxPool', [gated], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  const averaged = b.node('AveragePool', [gated], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  const both = b.node('Add', [pooled, averaged]);
  const zeros = constant([0, 0]);
  const sliced = b.node('Slice', [both, zeros, constant([1000, 1000]), constant([2, 3]), constant([2, 2])]);
  const padded = b.node('Pad', [sliced, constant([0, 2, 1, 0, 0, 3, 0, 1])], { mode: 'constant' });
  const head = relu(conv(padded, 50, 64, { kernel: 1 }));
  const flat = b.node('Flatten', [head]);
  // [1, 64, 4, 4] after the pad.
  const hidden = relu(b.node('Gemm', [flat, weights([33, 64 * 16]), bias(33)], { transB: 1 }));
  const global = b.node('Flatten', [b.node('GlobalAveragePool', [head])]);
  const fused = b.node('Concat', [hidden, global], { axis: 1 });
  const logits = b.node('Gemm', [fused, weights([10, 97]), bias(10)], { transB: 1 });
  b.output(b.node('Softmax', [logits], { axis: 1 }, { outputs: ['y'] }), 'float32', [1, 10]);
  return b.build();
}
