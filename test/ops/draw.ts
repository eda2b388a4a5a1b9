import { Rng } from '../../lib/core/rng';
import { elementCount, type Tensor, tensorFrom, type ViewType } from '../../lib/ir/tensor';
import { integers, type OpCase } from './op-case';

/** A case in one line. */
export function opCase(
  op: string,
  title: string,
  inputs: OpCase['inputs'],
  attributes: OpCase['attributes'] = {},
  options: Pick<OpCase, 'outputs' | 'tolerance' | 'opset'> = {},
): OpCase {
  return { op, title, inputs, attributes, ...options };
}

/** Numbers in [low, high) that depend only on shape and seed. */
export function random(dims: readonly number[], low = -2, high = 2, seed = 1): Tensor {
  const rng = new Rng(seed);
  const values = Array.from({ length: elementCount(dims) }, () => low + (high - low) * rng.uniform());
  return tensorFrom('float32', dims, values);
}

/** Booleans that depend only on shape and seed. */
export function booleans(dims: readonly number[], seed = 1): Tensor {
  return integers('bool', dims, 0, 1, seed);
}

/** int64 vector. */
export function ints(...values: readonly number[]): Tensor {
  return tensorFrom('int64', [values.length], values);
}

/** Tensor without axes. */
export function scalar(type: ViewType, value: number): Tensor {
  return tensorFrom(type, [], [value]);
}
