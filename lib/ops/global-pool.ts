import { elementCount } from '../ir/tensor';
import { emptyLike } from './dense';
import { knownDims } from './dims';
import type { Window } from './kernel-call';
import type { Dense, InferContext, LowerContext, Operator } from './operator';
import { problem } from './schema';
import { toWindow } from './spatial';

/** Shape rule of pooling over all spatial axes: `[N, C, spatial...]` to `[N, C, 1...]`. */
export function inferGlobalPool({ node, inputs: [x] }: InferContext): ReturnType<Operator['infer']> {
  if (!x) return [];
  if (!x.shape) return [{ type: x.type, shape: undefined }];
  if (x.shape.length < 3) return problem(node, 'shape-mismatch', `expected an input of rank >= 3, found [${x.shape}]`);
  return [{ type: x.type, shape: x.shape.map((dim, axis) => (axis < 2 ? dim : 1)) }];
}

/** Reduces every plane of `x` to one element. */
export function reducePlanes(x: Dense, reduce: (plane: Dense['data']) => number): Dense {
  const y = emptyLike(
    x,
    x.dims.map((dim, axis) => (axis < 2 ? dim : 1)),
  );
  const size = elementCount(x.dims.slice(2));
  for (let i = 0; i < y.data.length; i++) y.data[i] = reduce(x.data.subarray(i * size, (i + 1) * size));
  return y;
}

/** One window that covers the whole input, or why there is none. */
export function lowerGlobalPool({ node, inputs: [x] }: LowerContext): Window | ReturnType<typeof problem> {
  const dims = knownDims(x?.shape);
  if (!dims) return problem(node, 'symbolic-shape', 'expected known shapes');
  const spatial = dims.slice(2);
  if (spatial.length < 1 || spatial.length > 3)
    return problem(node, 'rank', `expected one to three spatial axes, found ${spatial.length}`);
  const ones = spatial.map(() => 1);
  const zeros = spatial.map(() => 0);
  const whole = { input: spatial, kernel: spatial, strides: ones, dilations: ones, output: ones };
  return toWindow({ ...whole, padsBegin: zeros, padsEnd: zeros });
}
