import { attribute } from '../ir/attribute';
import type { ElementType } from '../ir/element-type';
import type { Node } from '../ir/graph';
import { elementCount, type Tensor, toNumbers } from '../ir/tensor';
import { toDense } from '../ops/dense';
import type { Match, PatternContext } from './pattern';

/** What must hold of a match besides the pattern's own words (only reader, constant, domain). */
export interface Guard {
  readonly word: string;
  readonly holds: (match: Match, context: PatternContext) => boolean;
}

/** An attribute has this value, or is left out and means it. */
export function attributeIs(node: string, name: string, kind: 'int' | 'float', value: number): Guard {
  return {
    word: `${node}.${name} = ${value}`,
    holds: (match) => {
      const found = match.node(node).attributes.get(name);
      return found === undefined || (found.kind === kind && found.value === value);
    },
  };
}

/** The node makes its first output only. */
export function oneOutput(node: string): Guard {
  return {
    word: `${node} has one output`,
    holds: (match) =>
      match
        .node(node)
        .outputs.slice(1)
        .every((name) => name === ''),
  };
}

/** No QuantizeLinear reads the first output: it stays next to what it quantizes. */
export function notQuantized(node: string): Guard {
  return {
    word: `${node} is not quantized`,
    holds: (match, context) =>
      context.consumers(match.node(node).outputs[0]).every(({ op }) => op !== 'QuantizeLinear'),
  };
}

/** The value has this element type. */
export function hasType(value: string, type: ElementType): Guard {
  return { word: `${value} is ${type}`, holds: (match, context) => context.typeOf(match.value(value))?.type === type };
}

/** The value has so many axes. */
export function hasRank(value: string, rank: number): Guard {
  return {
    word: `${value} has ${rank} axes`,
    holds: (match, context) => context.typeOf(match.value(value))?.shape?.length === rank,
  };
}

/** Two values have the same shape, known alike. */
export function sameShape(a: string, b: string): Guard {
  return {
    word: `${a} and ${b} have one shape`,
    holds: (match, context) => {
      const [one, other] = [a, b].map((name) => context.typeOf(match.value(name))?.shape);
      return one !== undefined && one.length === other?.length && one.every((dim, axis) => dim === other[axis]);
    },
  };
}

/** The value is no constant. */
export function computed(value: string): Guard {
  return { word: `${value} is computed`, holds: (match, context) => !context.constant(match.value(value)) };
}

/** The bias of a linear node, where it has one, is one number per output channel. */
export function hasChannelBias(linear: string, weights: string, bias: string): Guard {
  return {
    word: `${bias} has one number per channel of ${linear}`,
    holds: (match) => channelBiasOf(match, { linear, weights, bias }) !== undefined,
  };
}

/** The numbers of `hasChannelBias`, one per output channel; zeros where the node has no bias. */
export function channelBiasOf(
  match: Match,
  { linear, weights, bias }: { readonly linear: string; readonly weights: string; readonly bias: string },
): ArrayLike<number> | undefined {
  const node = match.node(linear);
  const channels = match.constant(weights).dims[channelAxisOf(node)];
  const tensor = match.findConstant(bias);
  if (!tensor) return new Float64Array(channels);
  // Broadcasting is Gemm's alone.
  if (node.op === 'Conv' && tensor.dims.join() !== `${channels}`) return undefined;
  return tensor.dims.length <= 2 ? perChannel(tensor, channels, 1, 2) : undefined;
}

/** A constant that, when it is broadcast to the output of a linear node, has one number per output channel. */
export function isPerChannel(name: string, linear: string, weights: string): Guard {
  return {
    word: `${name} is per channel`,
    holds: (match, context) => perChannelOf(match, context, { name, linear, weights }) !== undefined,
  };
}

/** The numbers of `isPerChannel`, one per output channel. */
export function perChannelOf(
  match: Match,
  context: PatternContext,
  { name, linear, weights }: { readonly name: string; readonly linear: string; readonly weights: string },
): ArrayLike<number> | undefined {
  const node = match.node(linear);
  const rank = context.typeOf(node.outputs[0])?.shape?.length;
  const channels = match.constant(weights).dims[channelAxisOf(node)];
  if (channels === undefined || rank === undefined) return undefined;
  return perChannel(match.constant(name), channels, node.op === 'Conv' ? 1 : rank - 1, rank);
}

/** Axis of the weights that counts the output channels of a Conv, Gemm or product with a matrix. */
export function channelAxisOf(node: Node): number {
  if (node.op === 'Conv') return 0;
  return attribute(node, 'transB', 'int', 0) ? 0 : 1;
}

/** The tensor as one number per index of `axis`, when broadcasting to `rank` axes it varies along no other. */
function perChannel(tensor: Tensor, channels: number, axis: number, rank: number): ArrayLike<number> | undefined {
  const { data } = toDense(tensor, 'float64');
  if (tensor.dims.length > rank) return undefined;
  if (elementCount(tensor.dims) === 1) return new Float64Array(channels).fill(data[0]);
  const at = tensor.dims.length - (rank - axis);
  const fits = tensor.dims.every((dim, i) => dim === (i === at ? channels : 1));
  return fits && at >= 0 ? data : undefined;
}

/** Whether a constant of numbers that pads, steps and flags may have is `expected` everywhere. */
export function allEqual(tensor: Tensor | undefined, expected: number): boolean {
  return tensor !== undefined && tensor.type in NUMERIC && toNumbers(tensor).every((element) => element === expected);
}

const NUMERIC = { int64: true, int32: true, bool: true, float32: true };
