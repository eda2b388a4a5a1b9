import { attribute } from '../../ir/attribute';
import { tensorFrom } from '../../ir/tensor';
import { castTo } from '../gradients';
import { type CompositeContext, joined, needed, Refused, reshaped } from './composite';
import {
  biasOfLengths,
  biasOfMask,
  causalBias,
  mergeHeads,
  scaledAttention,
  splitHeads,
  sumOfBiases,
} from './scaled-attention';

/** ONNX Attention-23 and -24: scaled dot-product attention with masks, groups of heads and a cache of keys and values. */
export function attention(context: CompositeContext): readonly (string | undefined)[] {
  const { node, emit, input, extent } = context;
  const flat = context.rankOf(needed(context, 0)) === 3;
  const heads = (index: number, name: string) =>
    flat ? splitHeads(context, needed(context, index), attribute(node, name, 'int')) : needed(context, index);
  const q = heads(0, 'q_num_heads');
  const past = input(4);
  const [k, v] = [1, 2].map((index) => {
    const cached = input(index + 3);
    return joined(emit, [...(cached === undefined ? [] : [cached]), heads(index, 'kv_num_heads')], 2);
  });
  const offset = past === undefined ? 0 : extent(past, 2);
  const scale = attribute(node, 'scale', 'float', 1 / Math.sqrt(extent(q, 3)));
  const softcap = attribute(node, 'softcap', 'float', 0);
  const bias = biasOf(context, q, k, offset);
  const { scores, capped, biased, weights, result } = scaledAttention(context, { q, k, v, scale, softcap, bias });
  const shown = [scores, capped, biased, weights][attribute(node, 'qk_matmul_output_mode', 'int', 0)];
  return [flat ? mergeHeads(context, result) : result, k, v, shown];
}

/** All that says which keys a query sees. */
function biasOf(context: CompositeContext, q: string, k: string, offset: number): string | undefined {
  const { node, input, extent } = context;
  const [mask, lengths] = [input(3), input(6)];
  const causal = attribute(node, 'is_causal', 'int', 0) !== 0;
  if (mask === undefined && lengths === undefined && !causal) return undefined;
  const keys = extent(k, 2);
  const fixed = causal && lengths === undefined;
  return sumOfBiases(context, [
    mask === undefined ? undefined : maskBias(context, mask, keys),
    fixed ? causalBias(context, extent(q, 2), keys, offset, -Infinity) : undefined,
    lengths === undefined ? undefined : biasOfLengths(context, lengths, keys, -Infinity),
    causal && lengths !== undefined ? causalBiasOfLengths(context, extent(q, 2), keys, lengths) : undefined,
  ]);
}

/** The bias of a mask; keys behind its end are not seen. */
function maskBias(context: CompositeContext, mask: string, keys: number): string {
  const { emit, elementTypeOf, extent } = context;
  const bias = elementTypeOf(mask) === 'bool' ? biasOfMask(context, mask, -Infinity) : mask;
  const missing = keys - extent(mask, -1);
  if (missing === 0) return bias;
  if (missing < 0) throw new Refused(`the mask has ${extent(mask, -1)} keys, and there are ${keys}`);
  const { shape } = emit.typeOf(mask);
  const dims = [...(shape as readonly number[]).slice(0, -1), missing];
  const count = dims.reduce((product, dim) => product * dim, 1);
  const rest = emit.constant(tensorFrom('float32', dims, new Array<number>(count).fill(-Infinity)));
  return joined(emit, [bias, rest], -1);
}

/** The queries are the last of `lengths` keys: [N, 1, queries, keys]. */
function causalBiasOfLengths(context: CompositeContext, queries: number, keys: number, lengths: string): string {
  const { emit, f } = context;
  // Key j is seen by query i when j <= i + length - queries.
  const least = Array.from({ length: queries * keys }, (_, i) => (i % keys) - Math.floor(i / keys) + queries);
  const places = emit.constant(tensorFrom('int64', [1, 1, queries, keys], least));
  const counts = reshaped(emit, castTo(emit, lengths, 'int64'), [-1, 1, 1, 1]);
  return f('Where', f('LessOrEqual', places, counts), 0, -Infinity);
}
