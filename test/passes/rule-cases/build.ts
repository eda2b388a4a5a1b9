import type { GraphBuilder } from '../../../lib/ir/builder';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom } from '../../../lib/ir/tensor';
import { passCase, weights } from '../pass-case';

/** Builds the graph of a case: its output, or its outputs. */
export type Build = (b: GraphBuilder, c: Constants) => string | readonly string[];

/** Constants of a case, under short names. */
export class Constants {
  private readonly b: GraphBuilder;

  constructor(b: GraphBuilder) {
    this.b = b;
  }

  scalar(value: number): string {
    return this.b.initializer(tensorFrom('float32', [], [value]), 'scalar');
  }

  ints(...values: number[]): string {
    return this.b.initializer(tensorFrom('int64', [values.length], values), 'ints');
  }

  bytes(type: 'uint8' | 'int8', ...values: number[]): string {
    return this.b.initializer(tensorFrom(type, values.length === 1 ? [] : [values.length], values), 'bytes');
  }

  floats(dims: readonly number[], seed = 1): string {
    return this.b.initializer(weights(dims, seed), 'floats');
  }

  /** Scale and zero point of a grid. */
  grid(scale: number, zero: number): [string, string] {
    return [this.scalar(scale), this.bytes('uint8', zero)];
  }

  /** A QuantizeLinear/DequantizeLinear pair. */
  pair(value: string, scale: number, zero: number): string {
    const quantized = this.b.node('QuantizeLinear', [value, ...this.grid(scale, zero)]);
    return this.b.node('DequantizeLinear', [quantized, ...this.grid(scale, zero)]);
  }

  /** Inputs 1 to 4 of a BatchNormalization. */
  norm(channels: number): string[] {
    const [scale, offset, mean] = [3, 4, 5].map((seed) => this.floats([channels], seed));
    const variance = Array.from({ length: channels }, (_, channel) => (channel + 1) / 4);
    return [scale, offset, mean, this.b.initializer(tensorFrom('float32', [channels], variance), 'variance')];
  }

  /** A convolution of an image `x` with two channels to three. */
  conv(x: string, bias?: string): string {
    return this.b.node('Conv', [x, this.floats([3, 2, 1, 1]), ...(bias ? [bias] : [])]);
  }

  /** Operands of an integer operator: value, scale, zero point. */
  operand(value: string, scale = 2 ** -4, zero = 100): string[] {
    return [value, ...this.grid(scale, zero)];
  }
}

/** The graph of a case, shapes inferred. */
export function ruleGraph(build: Build): Graph {
  return passCase('rule', (b) => build(b, new Constants(b))).graph;
}

export const row = (b: GraphBuilder) => b.input('x', 'float32', ['N', 4]);
export const image = (b: GraphBuilder) => b.input('x', 'float32', ['N', 2, 6, 6]);
export const codes = (b: GraphBuilder, name = 'x') => b.input(name, 'uint8', ['N', 2, 4, 4]);
/** Behind another node, so that the rule's nodes are inner ones. */
export const relu = (b: GraphBuilder, value: string) => b.node('Relu', [value]);

/** A node of an operator of onnxruntime. */
export function foreign(
  b: GraphBuilder,
  op: string,
  inputs: readonly string[],
  attributes: Parameters<GraphBuilder['node']>[2] = {},
): string {
  return b.node(op, inputs, attributes, { domain: 'com.microsoft' });
}
