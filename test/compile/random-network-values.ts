import type { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import { elementCount, type Tensor, tensorFrom, tensorOf } from '../../lib/ir/tensor';

/** A float value of the network in the making. */
export interface Value {
  readonly name: string;
  readonly dims: readonly number[];
  /** Scale of its int8 grid; undefined: it is not quantized, and no product may read it. */
  readonly scale: number | undefined;
}

const isPowerOfTwo = (scale: number): boolean => Number.isInteger(Math.log2(scale));

/** The values of a random network in the making: inputs, constants, and the grids between its layers. */
export class NetworkValues {
  protected readonly b = new GraphBuilder();
  protected readonly values: Value[] = [];
  protected readonly said: string[] = [];
  protected readonly feeds = new Map<string, Tensor>();
  protected readonly rng: Rng;
  protected readonly quantized: boolean;
  protected readonly type: 'uint8' | 'int8';

  constructor(rng: Rng, quantized: boolean) {
    this.rng = rng;
    this.quantized = quantized;
    this.type = this.pick(['uint8', 'int8']);
  }

  protected input(): void {
    const { rng, b } = this;
    const image = [this.chance(0.2) ? 2 : 1, rng.integer(1, 6), rng.integer(1, 8), rng.integer(1, 8)];
    const dims = this.chance(0.25) ? image.slice(0, 3) : image;
    const type = this.quantized && this.chance(0.5) ? this.type : 'float32';
    const data = Array.from({ length: elementCount(dims) }, () =>
      type === 'float32' ? rng.normal() * 2 : rng.integer(type === 'uint8' ? 0 : -128, type === 'uint8' ? 255 : 127),
    );
    const input = b.input(`x${this.feeds.size}`, type, dims);
    this.feeds.set(input, tensorFrom(type, dims, data));
    if (!this.quantized) this.values.push({ name: input, dims, scale: undefined });
    else if (type === 'float32') this.values.push(this.requantized(input, dims, this.scale()));
    else {
      const scale = this.scale();
      this.values.push({ name: b.node('DequantizeLinear', [input, ...this.grid(scale)]), dims, scale });
    }
    this.said.push(`${type}[${dims}]`);
  }

  /** The result of a step that computes: activation, then mostly a pair with a scale of its own. */
  protected finish(value: string, dims: readonly number[]): Value {
    const name = this.activation(value, 0.4);
    if (!this.quantized || this.chance(0.1)) return { name, dims, scale: undefined };
    return this.requantized(name, dims, this.scale());
  }

  /** The result of a step that moves elements: no pair, one of the same scale, or one of another. */
  protected moved(value: string, dims: readonly number[], scale: number | undefined): Value {
    if (!this.quantized || scale === undefined || this.chance(0.4)) return { name: value, dims, scale };
    return this.requantized(value, dims, this.chance(0.6) ? scale : this.scale());
  }

  protected requantized(value: string, dims: readonly number[], scale: number): Value {
    const grid = this.grid(scale);
    const bytes = this.b.node('QuantizeLinear', [value, ...grid]);
    return { name: this.b.node('DequantizeLinear', [bytes, ...grid]), dims, scale };
  }

  protected quantize(value: string, scale: number): string {
    return this.b.node('QuantizeLinear', [value, ...this.grid(scale)]);
  }

  /** Scale and zero point as initializers. */
  protected grid(scale: number): [string, string] {
    const zeroPoint = this.type === 'uint8' ? this.rng.integer(0, 255) : this.rng.integer(-128, 127);
    return [
      this.b.initializer(tensorFrom('float32', [], [scale]), 'scale'),
      this.b.initializer(tensorFrom(this.type, [], [zeroPoint]), 'zero'),
    ];
  }

  protected scale(): number {
    const size = 2 ** this.rng.integer(-6, -2);
    return this.chance(0.7) ? size : Math.fround(size * (1 + this.rng.uniform()));
  }

  /** The value in a form that a product may read: sums of its elements are exact. */
  protected forProduct(value: Value): Value {
    if (!this.quantized || (value.scale !== undefined && isPowerOfTwo(value.scale))) return value;
    return this.requantized(value.name, value.dims, 2 ** this.rng.integer(-6, -2));
  }

  protected activation(value: string, probability: number): string {
    if (!this.chance(probability)) return value;
    if (this.chance(0.6)) return this.b.node('Relu', [value]);
    const bounds = [-this.rng.uniform(), this.rng.uniform() * 3].map((bound) =>
      this.b.initializer(tensorFrom('float32', [], [bound]), 'bound'),
    );
    return this.b.node('Clip', [value, this.chance(0.7) ? bounds[0] : '', bounds[1]]);
  }

  /** Weights of few bits (dequantized from int8 or uint8, per tensor or per channel), or random floats; and their scales. */
  protected weights(dims: readonly number[], axis: number): { name: string; scales: readonly number[] } {
    const { rng, b } = this;
    const count = elementCount(dims);
    if (!this.quantized) {
      const data = Float32Array.from({ length: count }, () => rng.normal() * 0.5);
      return { name: b.initializer(tensorOf('float32', dims, data), 'w'), scales: [] };
    }
    const perChannel = this.chance(0.7);
    const type = this.chance(0.8) ? 'int8' : 'uint8';
    const scales = Array.from({ length: perChannel ? dims[axis] : 1 }, () => 2 ** rng.integer(-6, -3));
    const zeros = scales.map(() => (type === 'uint8' ? rng.integer(100, 150) : 0));
    const center = type === 'uint8' ? 125 : 0;
    const data = Array.from({ length: count }, () => rng.integer(center - 12, center + 12));
    const shape = perChannel ? [scales.length] : [];
    const operands = [
      b.initializer(tensorFrom(type, dims, data), 'w'),
      b.initializer(tensorFrom('float32', shape, scales), 'w_scale'),
      b.initializer(tensorFrom(type, shape, zeros), 'w_zero'),
    ];
    return { name: b.node('DequantizeLinear', operands, { axis }), scales };
  }

  /** No bias, one of floats, or one that is dequantized from int32. */
  protected bias(count: number, inputScale: number, weightScales: readonly number[]): string[] {
    const { rng, b } = this;
    if (this.chance(0.3)) return [];
    if (!this.quantized) {
      const data = Array.from({ length: count }, () => rng.normal());
      return [b.initializer(tensorFrom('float32', [count], data), 'b')];
    }
    const integers = Array.from({ length: count }, () => rng.integer(-3000, 3000));
    const scales = integers.map((_, c) => inputScale * (weightScales[c] ?? weightScales[0]));
    if (this.chance(0.3)) {
      const floats = integers.map((integer, c) => integer * scales[c]);
      return [b.initializer(tensorFrom('float32', [count], floats), 'b')];
    }
    const operands = [
      b.initializer(tensorFrom('int32', [count], integers), 'b'),
      b.initializer(tensorFrom('float32', [count], scales), 'b_scale'),
    ];
    return [b.node('DequantizeLinear', operands, { axis: 0 })];
  }

  protected chance(probability: number): boolean {
    return this.rng.uniform() < probability;
  }

  protected pick<T>(items: readonly T[]): T {
    return items[this.rng.integer(0, items.length - 1)];
  }
}
