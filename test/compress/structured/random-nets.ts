import { Rng } from '../../../lib/core/rng';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom } from '../../../lib/ir/tensor';
import { inferShapes } from '../../../lib/passes/infer-shapes';
import { ints, random } from '../../ops/draw';

/** An activation `[N, channels, extent, extent]` of a network under construction. */
interface Feature {
  readonly value: string;
  readonly channels: number;
  readonly extent: number;
}

/** Small networks of every structure that channels can hang together in. Input `x` `[N, 3, 8, 8]`, output of 5 numbers. */
class NetBuilder {
  readonly graph = new GraphBuilder();
  readonly input: Feature;
  private seed: number;

  constructor(seed: number) {
    this.seed = seed * 1000;
    this.input = { value: this.graph.input('x', 'float32', ['N', 3, 8, 8]), channels: 3, extent: 8 };
  }

  weight(dims: readonly number[], low = -1): string {
    return this.graph.initializer(random(dims, low, 1, this.seed++), 'w');
  }

  conv(x: Feature, channels: number, options: { group?: number; kernel?: number; bias?: boolean } = {}): Feature {
    const { group = 1, kernel = 3, bias = true } = options;
    const inputs = [x.value, this.weight([channels, x.channels / group, kernel, kernel])];
    if (bias) inputs.push(this.weight([channels]));
    const pads = Array<number>(4).fill((kernel - 1) / 2);
    return { ...x, value: this.graph.node('Conv', inputs, { group, pads, kernel_shape: [kernel, kernel] }), channels };
  }

  transposed(x: Feature, channels: number, group = 1): Feature {
    const inputs = [x.value, this.weight([x.channels, channels / group, 2, 2]), this.weight([channels])];
    const value = this.graph.node('ConvTranspose', inputs, { group, strides: [2, 2] });
    return this.pool({ value, channels, extent: x.extent * 2 });
  }

  norm(x: Feature): Feature {
    const parameters = [1, 2, 3].map(() => this.weight([x.channels]));
    const variance = this.weight([x.channels], 0.5);
    return { ...x, value: this.graph.node('BatchNormalization', [x.value, ...parameters, variance]) };
  }

  apply(op: string, x: Feature, ...others: readonly string[]): Feature {
    return { ...x, value: this.graph.node(op, [x.value, ...others]) };
  }

  pool(x: Feature): Feature {
    const value = this.graph.node('MaxPool', [x.value], { kernel_shape: [2, 2], strides: [2, 2] });
    return { ...x, value, extent: x.extent / 2 };
  }

  concat(...parts: readonly Feature[]): Feature {
    const value = this.graph.node(
      'Concat',
      parts.map((part) => part.value),
      { axis: 1 },
    );
    return { ...parts[0], value, channels: parts.reduce((sum, part) => sum + part.channels, 0) };
  }

  split(x: Feature, lengths: readonly number[]): Feature[] {
    const sizes = this.graph.initializer(ints(...lengths), 'sizes');
    const values = this.graph.nodes('Split', [x.value, sizes], lengths.length, { axis: 1 });
    return values.map((value, index) => ({ ...x, value, channels: lengths[index] }));
  }

  slice(x: Feature, start: number, end: number): Feature {
    const [starts, ends, axes] = [[start], [end], [1]].map((list) => this.graph.initializer(ints(...list), 'part'));
    return { ...x, value: this.graph.node('Slice', [x.value, starts, ends, axes]), channels: end - start };
  }

  pad(x: Feature, before: number, after: number): Feature {
    const pads = this.graph.initializer(ints(0, before, 0, 0, 0, after, 0, 0), 'pads');
    return { ...x, value: this.graph.node('Pad', [x.value, pads]), channels: x.channels + before + after };
  }

  /** Every pixel `times` x `times` times. */
  enlarge(x: Feature, times: number): Feature {
    const scales = this.graph.initializer(tensorFrom('float32', [4], [1, 1, times, times]), 'scales');
    const inputs = [x.value, '', scales];
    const value = this.graph.node('Resize', inputs, { mode: 'nearest', coordinate_transformation_mode: 'asymmetric' });
    return { ...x, value, extent: times * x.extent };
  }

  /** Channel extents split into groups, their order changed: ShuffleNet. */
  shuffle(x: Feature, groups: number): Feature {
    const shape = (...dims: number[]) => this.graph.initializer(ints(...dims), 'shape');
    const { extent, channels } = x;
    const apart = this.graph.node('Reshape', [x.value, shape(0, groups, channels / groups, extent, extent)]);
    const swapped = this.graph.node('Transpose', [apart], { perm: [0, 2, 1, 3, 4] });
    return { ...x, value: this.graph.node('Reshape', [swapped, shape(0, channels, extent, extent)]) };
  }

  /** Squeeze and excitation: every channel scaled by a gate. */
  gate(x: Feature): Feature {
    const mean = { ...x, value: this.graph.node('GlobalAveragePool', [x.value]), extent: 1 };
    const hidden = this.apply('Relu', this.conv(mean, 4, { kernel: 1 }));
    return this.apply('Mul', x, this.apply('Sigmoid', this.conv(hidden, x.channels, { kernel: 1 })).value);
  }

  /** Classifier over all pixels. */
  flatten(x: Feature, hidden: number): Graph {
    const flat = this.graph.node('Flatten', [x.value], { axis: 1 });
    const inner = x.channels * x.extent * x.extent;
    const first = this.graph.node('Gemm', [flat, this.weight([hidden, inner]), this.weight([hidden])], { transB: 1 });
    return this.finish(this.graph.node('Tanh', [first]), hidden);
  }

  /** Classifier over channel means. */
  average(x: Feature): Graph {
    const axes = this.graph.initializer(ints(2, 3), 'axes');
    return this.finish(this.graph.node('ReduceMean', [x.value, axes], { keepdims: 0 }), x.channels);
  }

  finish(value: string, channels: number): Graph {
    const logits = this.graph.node('MatMul', [value, this.weight([channels, 5])]);
    this.graph.output(this.graph.node('Add', [logits, this.weight([5])]), 'float32', ['N', 5]);
    return inferShapes(this.graph.build()).graph;
  }
}

type Block = (net: NetBuilder, x: Feature, rng: Rng) => Feature;

/** Ways to go on from an activation of a multiple of 4 channels; each leaves one. */
const BLOCKS: Readonly<Record<string, Block>> = {
  plain: (net, x, rng) => net.apply('Relu', net.norm(net.conv(x, 4 * rng.integer(1, 4), { bias: false }))),
  residual: (net, x, rng) => {
    const inner = net.apply('Relu', net.norm(net.conv(x, 4 * rng.integer(1, 3))));
    return net.apply('Relu', net.apply('Add', x, net.norm(net.conv(inner, x.channels)).value));
  },
  concat: (net, x, rng) => {
    const parts = [1, 3].map((kernel) => net.apply('Relu', net.conv(x, 4 * rng.integer(1, 2), { kernel })));
    return net.concat(...parts, x);
  },
  split: (net, x) => {
    const [first, second] = net.split(x, [x.channels / 2, x.channels / 2]);
    return net.concat(net.apply('Relu', net.conv(first, 8)), second);
  },
  depthwise: (net, x) => net.conv(net.apply('Relu', net.conv(x, x.channels, { group: x.channels })), 8, { kernel: 1 }),
  multiplier: (net, x) => net.apply('Relu', net.conv(x, 2 * x.channels, { group: x.channels })),
  grouped: (net, x) => net.apply('Relu', net.conv(x, 8, { group: 2 })),
  manyGroups: (net, x) => net.apply('Relu', net.conv(x, x.channels, { group: x.channels / 2 })),
  shortcut: (net, x) => {
    const wide = net.norm(net.conv(x, x.channels + 4));
    return net.apply('Relu', net.apply('Add', wide, net.pad(x, 2, 2).value));
  },
  slice: (net, x) => net.apply('Relu', net.conv(net.slice(x, 2, x.channels), 8)),
  gate: (net, x) => net.gate(x),
  shuffle: (net, x) => net.conv(net.shuffle(x, 2), 8, { kernel: 1 }),
  transposed: (net, x) => net.apply('Relu', net.transposed(x, 8)),
  transposedGroups: (net, x) => net.apply('Relu', net.transposed(x, 8, 4)),
  enlarged: (net, x) => net.pool(net.apply('Relu', net.conv(net.enlarge(x, 2), 8))),
  bridge: (net, x) => {
    const inner = net.apply('Relu', net.conv(net.pool(net.apply('Relu', net.conv(x, 8))), 8));
    return net.apply('Relu', net.conv(net.concat(net.enlarge(inner, 2), x), 8));
  },
  scale: (net, x) =>
    net.apply('PRelu', net.apply('Mul', x, net.weight([1, x.channels, 1, 1])), net.weight([x.channels, 1, 1])),
};
export const BLOCK_NAMES: readonly string[] = Object.keys(BLOCKS);

/** A network with the named blocks one behind the other. */
export function netOf(names: readonly string[], seed: number, head: 'flatten' | 'average'): Graph {
  const net = new NetBuilder(seed);
  const rng = new Rng(seed);
  let x = net.pool(net.apply('Relu', net.conv(net.input, 8)));
  for (const name of names) x = BLOCKS[name](net, x, rng);
  return head === 'flatten' ? net.flatten(net.pool(x), 6) : net.average(x);
}

/** A transformer layer without normalization: attention of `heads` heads and a gated product, each added to the stream. */
export function attentionNet(heads: number, width: number): Graph {
  const builder = new GraphBuilder();
  let seed = 1;
  const weight = (...dims: number[]) => builder.initializer(random(dims, -0.5, 0.5, seed++), 'w');
  const shape = (...dims: number[]) => builder.initializer(ints(...dims), 'shape');
  const hidden = heads * width;
  const x = builder.input('x', 'float32', ['N', 6, 5]);
  const stream = builder.node('MatMul', [x, weight(5, 12)]);
  const project = (perm: number[]) => {
    const rows = builder.node('Add', [builder.node('MatMul', [stream, weight(12, hidden)]), weight(hidden)]);
    return builder.node('Transpose', [builder.node('Reshape', [rows, shape(0, 6, heads, width)])], { perm });
  };
  const [q, k, v] = [
    [0, 2, 1, 3],
    [0, 2, 3, 1],
    [0, 2, 1, 3],
  ].map(project);
  const scores = builder.node('Div', [
    builder.node('MatMul', [q, k]),
    builder.initializer(tensorFrom('float32', [], [2]), 'root'),
  ]);
  const mixed = builder.node('MatMul', [builder.node('Softmax', [scores], { axis: -1 }), v]);
  const joined = builder.node('Reshape', [
    builder.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
    shape(0, 6, hidden),
  ]);
  const attended = builder.node('Add', [stream, builder.node('MatMul', [joined, weight(hidden, 12)])]);
  const gate = builder.node('Sigmoid', [builder.node('MatMul', [attended, weight(12, 10)])]);
  const up = builder.node('Mul', [gate, builder.node('MatMul', [attended, weight(12, 10)])]);
  const sum = builder.node('Add', [attended, builder.node('MatMul', [up, weight(10, 12)])]);
  builder.output(builder.node('MatMul', [sum, weight(12, 5)]), 'float32', ['N', 6, 5]);
  return inferShapes(builder.build()).graph;
}

/** A recurrent layer over `x` `[4, N, 3]` with its last state and all outputs read by products. */
export function recurrentNet(op: 'LSTM' | 'GRU', direction: 'forward' | 'bidirectional', hidden = 5): Graph {
  const builder = new GraphBuilder();
  const gates = op === 'LSTM' ? 4 : 3;
  const directions = direction === 'forward' ? 1 : 2;
  const constant = (dims: readonly number[], seed: number) => builder.initializer(random(dims, -0.5, 0.5, seed));
  const x = builder.input('x', 'float32', [4, 'N', 3]);
  const weights = [
    constant([directions, gates * hidden, 3], 1),
    constant([directions, gates * hidden, hidden], 2),
    constant([directions, 2 * gates * hidden], 3),
  ];
  const [y, last] = builder.nodes(op, [x, ...weights], 2, { hidden_size: hidden, direction });
  const outputs = builder.node('ReduceMean', [y, builder.initializer(tensorFrom('int64', [1], [0]))], { keepdims: 0 });
  const products = [outputs, last].map((value, index) =>
    builder.node('MatMul', [value, constant([hidden, 2], 4 + index)]),
  );
  builder.output(builder.node('Add', products), 'float32');
  return inferShapes(builder.build()).graph;
}
