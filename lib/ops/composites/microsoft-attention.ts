import { attribute } from '../../ir/attribute';
import { int64s } from '../gradients';
import {
  type CompositeContext,
  joined,
  needed,
  parted,
  Refused,
  refuseInputs,
  reshaped,
  unsqueezed,
} from './composite';
import { scaledProduct } from './integer-products';
import {
  type Attended,
  biasOfLengths,
  biasOfMask,
  causalBias,
  mergeHeads,
  scaledAttention,
  splitHeads,
  sumOfBiases,
} from './scaled-attention';

/** com.microsoft Attention, as BERT has it: queries, keys and values out of one product of the input. */
export function microsoftAttention(context: CompositeContext): readonly (string | undefined)[] {
  const { node, f, input } = context;
  refuseInputs(context, { 6: 'past_sequence_length' });
  for (const name of ['do_rotary', 'past_present_share_buffer'])
    if (attribute(node, name, 'int', 0)) throw new Refused(`${name} = 1 is not supported`);
  const product = f('MatMul', needed(context, 0), needed(context, 1));
  return selfAttention(context, product, { mask: input(3), past: input(4), extra: input(5) });
}

/** com.microsoft QAttention: the same with a product of integers. */
export function quantizedAttention(context: CompositeContext): readonly (string | undefined)[] {
  const { node, input } = context;
  if (attribute(node, 'do_rotary', 'int', 0)) throw new Refused('do_rotary = 1 is not supported');
  const product = scaledProduct(context, { zeros: [6, 7], scales: [3, 4] });
  return selfAttention(context, product, { mask: input(5), past: input(8), extra: undefined });
}

/** What may stand beside the input of self attention. */
interface Beside {
  readonly mask: string | undefined;
  /** Keys and values of earlier positions, [2, N, heads, length, size]. */
  readonly past: string | undefined;
  /** Added to the scores. */
  readonly extra: string | undefined;
}

/** Attention between the parts of a product [N, length, queries + keys + values], with the bias at input 2. */
function selfAttention(context: CompositeContext, product: string, beside: Beside): readonly (string | undefined)[] {
  const { node, emit, f, input, extent } = context;
  const [bias, heads] = [input(2), attribute(node, 'num_heads', 'int')];
  const width = extent(product, 2) / 3;
  const sizes = attribute(node, 'qkv_hidden_sizes', 'ints', [width, width, width]);
  const all = bias === undefined ? product : f('Add', product, bias);
  const [q, ownK, ownV] = parted(emit, all, sizes, 2).map((value) => splitHeads(context, value, heads));
  const halves = beside.past === undefined ? [] : parted(emit, beside.past, [1, 1], 0);
  const [pastK, pastV] = halves.map((half) => emit.node('Squeeze', [half, int64s(emit, [0])]));
  const behind = (past: string | undefined, own: string) => joined(emit, past === undefined ? [own] : [past, own], 2);
  const [k, v] = [behind(pastK, ownK), behind(pastV, ownV)];
  const { result } = masked(context, { q, k, v }, beside);
  const both = () => [k, v].map((value) => unsqueezed(emit, value, [0]));
  return [mergeHeads(context, result), context.wants(1) ? joined(emit, both(), 0) : undefined];
}

/** com.microsoft MultiHeadAttention: the same of queries, keys and values that are there, also of packed ones. */
export function multiHeadAttention(context: CompositeContext): readonly (string | undefined)[] {
  const { node, emit, input } = context;
  refuseInputs(context, { 8: 'past_sequence_length', 9: 'cache_indirection' });
  const heads = attribute(node, 'num_heads', 'int');
  const [q, ownK, ownV] = projected(context, heads);
  const [k, v] = [ownK, ownV].map((own, at) => {
    const past = input(6 + at);
    return past === undefined ? own : joined(emit, [past, own], 2);
  });
  const { result, scores } = masked(context, { q, k, v }, { mask: input(4), extra: input(5) });
  return [mergeHeads(context, result), k, v, scores];
}

/** Queries, keys and values per head, with their bias. */
function projected(context: CompositeContext, heads: number): readonly string[] {
  const { emit, f, input, rankOf, extent } = context;
  const [query, key, value, bias] = [needed(context, 0), input(1), input(2), input(3)];
  const apart = (packed: string, count: number) =>
    parted(emit, packed, new Array<number>(count).fill(1), 3).map((part) =>
      reshaped(emit, part, [0, 0, heads * extent(packed, 4)]),
    );
  const flat =
    rankOf(query) === 5
      ? apart(query, 3)
      : key !== undefined && rankOf(key) === 5
        ? [query, ...apart(key, 2)]
        : [query, needed(context, 1), value ?? needed(context, 2)];
  const widths = flat.map((each) => (rankOf(each) === 3 ? extent(each, 2) : heads * extent(each, 3)));
  const biases = bias === undefined ? [] : parted(emit, bias, widths, 0);
  return flat.map((each, at) => {
    if (rankOf(each) !== 3) {
      if (bias !== undefined) throw new Refused('a bias of keys that are split into heads is not supported');
      return each;
    }
    return splitHeads(context, biases[at] === undefined ? each : f('Add', each, biases[at]), heads);
  });
}

/** Attention under what com.microsoft has as masks. */
function masked(
  context: CompositeContext,
  heads: { readonly q: string; readonly k: string; readonly v: string },
  { mask, extra }: Pick<Beside, 'mask' | 'extra'>,
): Attended {
  const { node, extent } = context;
  const scale = attribute(node, 'scale', 'float', 0) || 1 / Math.sqrt(extent(heads.q, 3));
  const fill = attribute(node, 'mask_filter_value', 'float', -10000);
  const causal = attribute(node, 'unidirectional', 'int', 0) !== 0;
  const [queries, keys] = causal ? [heads.q, heads.k].map((value) => extent(value, 2)) : [0, 0];
  const bias = sumOfBiases(context, [
    extra,
    mask === undefined ? undefined : maskBias(context, mask, extent(heads.k, 2), fill),
    causal ? causalBias(context, queries, keys, keys - queries, LOWEST) : undefined,
  ]);
  return scaledAttention(context, { ...heads, scale, bias });
}

/** What onnxruntime has for keys that no query may see. */
const LOWEST = -3.4028234663852886e38;

/** Masks of 1 and 0: [N, keys], [N, queries, keys], [N, 1, queries, keys]; or the lengths [N] of sequences. @throws Refused */
function maskBias(context: CompositeContext, mask: string, keys: number, fill: number): string {
  const { emit, rankOf, extent } = context;
  switch (rankOf(mask)) {
    case 1:
      if (extent(mask, 0) !== extent(needed(context, 0), 0))
        throw new Refused('expected a mask of one length per sequence');
      return biasOfLengths(context, mask, keys, fill);
    case 2:
      return unsqueezed(emit, biasOfMask(context, mask, fill), [1, 2]);
    case 3:
      return unsqueezed(emit, biasOfMask(context, mask, fill), [1]);
    default:
      if (extent(mask, 3) !== keys) throw new Refused(`the mask has ${extent(mask, 3)} keys, and there are ${keys}`);
      return biasOfMask(context, mask, fill);
  }
}
