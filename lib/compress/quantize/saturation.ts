import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { UINT8_LIMIT } from './affine';

const INT16_LIMIT = 32767;

/** Pairs of products of a layer that a runtime may add up in 16 bits. */
export interface PairCount {
  /** Pairs of weights that meet in one sum of 16 bits. */
  readonly pairs: number;
  /** Those whose sum of products can leave int16. */
  readonly saturating: number;
  /** Output channels that have such pairs, in order. */
  readonly channels: readonly number[];
}

/** Where the weights of a layer lie, as rows of numbers that are multiplied with inputs and summed. */
interface Rows {
  /** Sums that the layer makes with different weights. */
  readonly units: number;
  /** Products of a sum. */
  readonly depth: number;
  /** Neighbours in a row that belong to one place of the window: its input channels. */
  readonly run: number;
  /** Place of a weight in its tensor. */
  readonly at: (unit: number, k: number) => number;
  /** Output channel along the axis of the scales. */
  readonly channelOf: (unit: number) => number;
}

/**
 * Largest `|a + b|` of two neighbouring weights with which `x a + y b` stays in int16 for all x, y in 0..`reach`; weights of
 * unlike sign always stay. 128 for 8 bits: `255 (a + b)` lies within -32768..32767.
 */
export function pairLimit(reach: number = UINT8_LIMIT): number {
  return Math.floor(INT16_LIMIT / reach);
}

/** How many pairs of a layer can saturate. @param codes int8 weights in the order of their tensor */
export function countPairs(layer: PairedLayer, codes: Int8Array, limit: number): PairCount {
  const channels = new Set<number>();
  let [pairs, saturating] = [0, 0];
  forEachPair(layer, (channel, first, second) => {
    pairs++;
    if (Math.abs(codes[first] + codes[second]) <= limit) return;
    saturating++;
    channels.add(channel);
  });
  return { pairs, saturating, channels: [...channels].sort((a, b) => a - b) };
}

/** Largest `|a + b|` of two neighbouring weights in each channel. @param weights in the order of their tensor */
export function largestPairs(layer: PairedLayer, weights: Float32Array): Float64Array {
  const largest = new Float64Array(layer.dims[layer.axis]);
  forEachPair(layer, (channel, first, second) => {
    const sum = Math.abs(weights[first] + weights[second]);
    if (sum > largest[channel]) largest[channel] = sum;
  });
  return largest;
}

/** A layer on uint8 activations, by its node and weights. */
export interface PairedLayer {
  readonly node: Node;
  /** Of the weight tensor. */
  readonly dims: readonly number[];
  /** Axis of the output channels in them. */
  readonly axis: number;
}

/**
 * Calls `visit` with every pair of weights whose products x86 without 8-bit dot products adds up first (vpmaddubsw, which saturates):
 * neighbours 2i and 2i + 1 of a row. onnxruntime has rows in the order (kernel place, input channel of the group), found by
 * trying every pair; others fill the channels of a place up to whole groups first, which pairs differently where their
 * number is odd: both kinds are visited. A convolution with one input and one output channel per group has no pairs: kernels for those
 * widen every product.
 */
function forEachPair(layer: PairedLayer, visit: (channel: number, first: number, second: number) => void): void {
  const rows = rowsOf(layer);
  if (rows === undefined) return;
  const { units, depth, run, at, channelOf } = rows;
  for (let unit = 0; unit < units; unit++) {
    const channel = channelOf(unit);
    for (let k = 0; k + 1 < depth; k += 2) visit(channel, at(unit, k), at(unit, k + 1));
    if (run % 2 === 0) continue;
    // The places that begin in the middle of a pair.
    for (let start = run; start < depth; start += 2 * run)
      for (let c = 0; c + 1 < run; c += 2) visit(channel, at(unit, start + c), at(unit, start + c + 1));
  }
}

function rowsOf({ node, dims, axis }: PairedLayer): Rows | undefined {
  const group = attribute(node, 'group', 'int', 1);
  const places = elementCount(dims.slice(2));
  if (node.op === 'Conv') {
    const [filters, run] = dims;
    if (run === 1 && filters === group) return undefined;
    const at = (unit: number, k: number) => (unit * run + (k % run)) * places + Math.floor(k / run);
    return { units: filters, depth: run * places, run, at, channelOf: (unit) => unit };
  }
  if (node.op === 'ConvTranspose') {
    // Every place of the kernel makes products of its own outputs.
    const [channels, perGroup] = dims;
    const depth = channels / group;
    const at = (unit: number, k: number) => {
      const inner = perGroup * places;
      return (Math.floor(unit / inner) * depth + k) * inner + (unit % inner);
    };
    const channelOf = (unit: number) => Math.floor(unit / places) % perGroup;
    return { units: group * perGroup * places, depth, run: depth, at, channelOf };
  }
  // Matrices: [..., k, channels], or [channels, k].
  const depth = dims[axis === 0 ? 1 : axis - 1];
  const channels = dims[axis];
  const at =
    axis === 0
      ? (unit: number, k: number) => unit * depth + k
      : (unit: number, k: number) => (Math.floor(unit / channels) * depth + k) * channels + (unit % channels);
  return { units: elementCount(dims) / depth, depth, run: depth, at, channelOf: (unit) => unit % channels };
}
