import { elementCount, tensorOf } from '../ir/tensor';
import { dimsOf, reshapeTo } from './gradients';
import type { Share } from './interpolation';
import type { Emitter } from './operator';

/**
 * Adjoint of mixing along one axis: what each of the `from` source elements gave to the positions of `value` along `axis`
 * (`shares[position]`) comes back to it, as one product with a constant matrix.
 */
export function unmixAxis(
  emit: Emitter,
  value: string,
  axis: number,
  shares: readonly (readonly Share[])[],
  from: number,
): string {
  const dims = dimsOf(emit, value);
  const isLast = axis === dims.length - 1;
  const to = shares.length;
  const matrix = new Float32Array(from * to);
  shares.forEach((list, position) => {
    for (const { index, weight } of list) matrix[isLast ? position * from + index : index * to + position] += weight;
  });
  const mixed = dims.map((dim, at) => (at === axis ? from : dim));
  if (isLast) return emit.node('MatMul', [value, emit.constant(tensorOf('float32', [to, from], matrix))]);
  const lines = reshapeTo(emit, value, [elementCount(dims.slice(0, axis)), to, elementCount(dims.slice(axis + 1))]);
  const product = emit.node('MatMul', [emit.constant(tensorOf('float32', [from, to], matrix)), lines]);
  return reshapeTo(emit, product, mixed);
}
