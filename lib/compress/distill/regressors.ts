import { Rng } from '../../core/rng';
import { GraphBuilder } from '../../ir/builder';
import type { Dim, Graph } from '../../ir/graph';
import { heNormal } from '../../train/initialise';

/** A value of the student and the shape that it is to get. */
export interface Widening {
  readonly value: string;
  readonly from: readonly Dim[];
  readonly to: readonly Dim[];
}

/** Keeps the stream of regressors apart from others with the same seed. */
const REGRESSOR_STREAM = 0x41f7;

/**
 * Whether a linear layer over one axis, the channels (axis 1) or else the last, makes shape `to` of shape `from`. The first
 * axis, the batch, is not looked at.
 */
export function canWiden(from: readonly Dim[], to: readonly Dim[]): boolean {
  return (
    from.length === to.length && differing(from, to).every((axis, _, axes) => axes.length === 1 && widens(axis, from))
  );
}

/**
 * The graph with a learned linear layer without bias behind each value whose shape differs from what it is compared with: a 1x1
 * convolution over channels (Romero et al. 2015, section 2.2), a matrix over the last axis; the names of the results, or of
 * the values themselves; and the weights. The layers end nowhere: whoever has trained them leaves them out.
 */
export function addRegressors(
  graph: Graph,
  widenings: readonly Widening[],
  seed: number,
): { readonly graph: Graph; readonly values: readonly string[]; readonly weights: readonly string[] } {
  const weights: string[] = [];
  const rng = new Rng(seed ^ REGRESSOR_STREAM);
  const builder = new GraphBuilder({ from: graph });
  const values = widenings.map(({ value, from, to }) => {
    const [axis] = differing(from, to);
    if (axis === undefined) return value;
    const [own, wanted] = [from[axis] as number, to[axis] as number];
    const isConv = axis === 1 && from.length > 2;
    const ones = from.slice(2).map(() => 1);
    const initial = isConv ? heNormal(rng, [wanted, own, ...ones]) : heNormal(rng, [own, wanted], 'in-out');
    const weight = builder.initializer(initial, `${value}.regressor`);
    weights.push(weight);
    return isConv
      ? builder.node('Conv', [value, weight], { kernel_shape: ones })
      : builder.node('MatMul', [value, weight]);
  });
  return { graph: builder.build(), values, weights };
}

/** Axes, but for the batch, along which two shapes of one rank differ. */
function differing(from: readonly Dim[], to: readonly Dim[]): number[] {
  return from.flatMap((extent, axis) => (axis > 0 && extent !== to[axis] ? [axis] : []));
}

function widens(axis: number, { length }: readonly Dim[]): boolean {
  return axis === 1 || axis === length - 1;
}
