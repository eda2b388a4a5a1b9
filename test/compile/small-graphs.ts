import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';

type Byte = 'uint8' | 'int8';

/** Adds quantized pieces to a graph. Scales are powers of two, so that float executors agree bit for bit. */
export class Sketch {
  readonly b: GraphBuilder;
  private readonly rng = new Rng(11);

  constructor(b: GraphBuilder) {
    this.b = b;
  }

  scalar(value: number, type: Byte | 'float32' = 'float32'): string {
    return this.b.initializer(tensorFrom(type, [], [value]), 'c');
  }

  ints(...values: number[]): string {
    return this.b.initializer(tensorFrom('int64', [values.length], values), 'ints');
  }

  truths(...values: number[]): string {
    return this.b.initializer(tensorFrom('bool', [values.length], values), 'truths');
  }

  floats(...values: number[]): string {
    return this.b.initializer(tensorFrom('float32', [values.length], values), 'floats');
  }

  /** A QuantizeLinear/DequantizeLinear pair. */
  pair(value: string, scale = 2 ** -4, zeroPoint = 100, type: Byte = 'uint8'): string {
    const grid = [this.scalar(scale), this.scalar(zeroPoint, type)];
    return this.b.node('DequantizeLinear', [this.b.node('QuantizeLinear', [value, ...grid]), ...grid]);
  }

  quantize(value: string, scale = 2 ** -4, zeroPoint = 100, type: Byte = 'uint8'): string {
    return this.b.node('QuantizeLinear', [value, this.scalar(scale), this.scalar(zeroPoint, type)]);
  }

  /** Dequantized int8 weights, one scale per index of axis 0 (or the axis given). */
  weights(dims: readonly number[], axis = 0): string {
    const { b, rng } = this;
    const data = Array.from({ length: elementCount(dims) }, () => rng.integer(-12, 12));
    const scales = Array.from({ length: dims[axis] }, () => 2 ** rng.integer(-6, -4));
    return b.node(
      'DequantizeLinear',
      [
        b.initializer(tensorFrom('int8', dims, data), 'w'),
        b.initializer(tensorFrom('float32', [dims[axis]], scales), 's'),
      ],
      { axis },
    );
  }

  /** A 3x3 convolution over same-sized images. */
  conv(value: string, inputs: number, outputs: number, attributes: Record<string, number | number[]> = {}): string {
    return this.b.node('Conv', [value, this.weights([outputs, inputs, 3, 3])], { pads: [1, 1, 1, 1], ...attributes });
  }
}

/** A graph from what `draw` adds; it returns the names of the outputs. */
export function sketch(draw: (b: GraphBuilder, s: Sketch) => readonly string[]): Graph {
  const b = new GraphBuilder();
  for (const output of draw(b, new Sketch(b))) b.output(output);
  return b.build();
}

/** Random values for all inputs of a graph with numeric shapes. */
export function feedsOf(graph: Graph, seed = 3): Map<string, Tensor> {
  const rng = new Rng(seed);
  return new Map(
    graph.inputs.map((name) => {
      const { type, shape } = graph.values.get(name)!;
      const dims = shape as readonly number[];
      const data = Array.from({ length: elementCount(dims) }, () =>
        type === 'float32' ? rng.normal() * 3 : rng.integer(type === 'uint8' ? 0 : -128, type === 'uint8' ? 255 : 127),
      );
      return [name, tensorFrom(type as Byte | 'float32', dims, data)];
    }),
  );
}
