import { attribute } from '../../ir/attribute';
import { tensorFrom } from '../../ir/tensor';
import { castTo } from '../gradients';
import { type CompositeContext, joined, needed, parted, Refused, reshaped, unsqueezed } from './composite';

/** ONNX RotaryEmbedding-23 (Su et al. 2021): pairs of features turned by angles that grow with the position. */
export function rotaryEmbedding(context: CompositeContext): readonly string[] {
  const { node, input } = context;
  const [x, cos, sin] = [0, 1, 2].map((index) => needed(context, index));
  const heads = attribute(node, 'num_heads', 'int', 0);
  return [
    turned(context, x, {
      ...formOf(context),
      heads,
      angles: [cos, sin].map((cache) => atPositions(context, cache, input(3))),
    }),
  ];
}

/** com.microsoft RotaryEmbedding: the same with other inputs; one position alone is that of the first of the sequence. */
export function microsoftRotaryEmbedding(context: CompositeContext): readonly string[] {
  const { node, emit, f, rankOf, extent } = context;
  const [x, positions, cos, sin] = [0, 1, 2, 3].map((index) => needed(context, index));
  if (attribute(node, 'is_packed_batching', 'int', 0)) throw new Refused('is_packed_batching = 1 is not supported');
  if (attribute(node, 'scale', 'float', 1) !== 1) throw new Refused('expected scale 1');
  const flat = rankOf(x) === 3;
  const size = attribute(node, 'rotary_embedding_dim', 'int', 0);
  // Without a number of heads all features of a head are turned.
  const heads = attribute(node, 'num_heads', 'int', 0) || (flat ? extent(x, 2) / (2 * extent(cos, 1)) : 0);
  if (size > 0 && attribute(node, 'num_heads', 'int', 0) === 0) throw new Refused('expected num_heads');
  let places = positions;
  if (rankOf(positions) === 1) {
    const length = extent(x, flat ? 1 : 2);
    const steps = tensorFrom(
      'int64',
      [1, length],
      Array.from({ length }, (_, i) => i),
    );
    places = f('Add', castTo(emit, positions, 'int64'), emit.constant(steps));
  }
  return [
    turned(context, x, {
      ...formOf(context),
      heads,
      angles: [cos, sin].map((cache) => atPositions(context, cache, places)),
    }),
  ];
}

/** Rows of a cache [positions, size] at [N, length] positions; a cache [N, length, size] as it is. */
export function atPositions({ emit }: CompositeContext, cache: string, positions: string | undefined): string {
  return positions === undefined ? cache : emit.node('Gather', [cache, positions], { axis: 0 });
}

/** How features are turned. */
interface Rotation {
  /** Of an `x` that is not split into them. */
  readonly heads: number;
  /** Cosines and sines. */
  readonly angles: readonly string[];
  /** Whether partners lie side by side, else half a vector apart. */
  readonly interleaved: boolean;
  /** Features of a head that turn; 0 or left out: all. */
  readonly size?: number;
}

/** What the operators of this name say of it. */
function formOf({ node }: CompositeContext): Pick<Rotation, 'interleaved' | 'size'> {
  const interleaved = attribute(node, 'interleaved', 'int', 0) !== 0;
  return { interleaved, size: attribute(node, 'rotary_embedding_dim', 'int', 0) };
}

/** `x` [N, heads, length, size] or [N, length, heads * size] turned by angles [N, length, pairs]. */
export function turned(
  context: CompositeContext,
  x: string,
  { heads, angles, interleaved, size: turning }: Rotation,
): string {
  const { emit, f, rankOf, extent } = context;
  const flat = rankOf(x) === 3;
  if (flat && heads === 0) throw new Refused('expected num_heads');
  if (flat && !Number.isInteger(extent(x, 2) / heads)) throw new Refused(`${extent(x, 2)} do not make ${heads} heads`);
  const apart = flat ? reshaped(emit, x, [0, 0, heads, extent(x, 2) / heads]) : x;
  const size = extent(apart, 3);
  const pairs = (turning || size) / 2;
  const [some, ...rest] = parted(emit, apart, 2 * pairs === size ? [size] : [2 * pairs, size - 2 * pairs], 3);
  const [a, b] = interleaved
    ? parted(emit, reshaped(emit, some, [0, 0, 0, pairs, 2]), [1, 1], 4)
    : parted(emit, some, [pairs, pairs], 3);
  const headAxis = flat ? 2 : 1;
  const [cos, sin] = angles.map((angle) => unsqueezed(emit, angle, interleaved ? [headAxis, 4] : [headAxis]));
  const real = f('Sub', f('Mul', a, cos), f('Mul', b, sin));
  const imaginary = f('Add', f('Mul', a, sin), f('Mul', b, cos));
  const both = joined(emit, [real, imaginary], -1);
  const made = interleaved ? reshaped(emit, both, [0, 0, 0, 2 * pairs]) : both;
  const all = joined(emit, [made, ...rest], 3);
  return flat ? reshaped(emit, all, [0, 0, heads * size]) : all;
}
