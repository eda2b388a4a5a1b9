import type { Rng } from '../core/rng';
import { elementCount, type Tensor, tensorOf } from '../ir/tensor';

/** Inputs and outputs of one unit: weights are `[out, in, kernel...]`, or `[in, out]` for matrices that are not transposed. */
interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Normal numbers with variance `2 / fan_in`, for layers before a ReLU (He et al. 2015, equation 10). */
export function heNormal(rng: Rng, dims: readonly number[], layout: 'out-in' | 'in-out' = 'out-in'): Tensor {
  const deviation = Math.sqrt(2 / fansOf(dims, layout).fanIn);
  return fill(dims, () => rng.normal() * deviation);
}

/** Uniform numbers in `±sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010, equation 16). */
export function glorotUniform(rng: Rng, dims: readonly number[], layout: 'out-in' | 'in-out' = 'out-in'): Tensor {
  const { fanIn, fanOut } = fansOf(dims, layout);
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return fill(dims, () => (2 * rng.uniform() - 1) * limit);
}

/** Zeros, for biases and optimiser state. */
export function zeros(dims: readonly number[]): Tensor {
  return fill(dims, () => 0);
}

function fansOf(dims: readonly number[], layout: 'out-in' | 'in-out'): Fans {
  const [first, second, ...kernel] = dims;
  const taps = elementCount(kernel);
  return layout === 'out-in'
    ? { fanIn: second * taps, fanOut: first * taps }
    : { fanIn: first * taps, fanOut: second * taps };
}

function fill(dims: readonly number[], next: () => number): Tensor {
  return tensorOf('float32', dims, Float32Array.from({ length: elementCount(dims) }, next));
}
