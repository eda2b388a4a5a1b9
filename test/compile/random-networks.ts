import type { Rng } from '../../lib/core/rng';
import { elementCount, tensorFrom } from '../../lib/ir/tensor';
import { BENDS, REDUCTIONS } from './call-of';
import type { RandomCase } from './random-layers';
import { NetworkValues, type Value } from './random-network-values';

/** Operators of two operands; a divisor near 0 would give values that nothing is compared by. */
const SUMS = ['Add', 'Add', 'Sub', 'Max', 'Min'];

/** What a random step makes of a value; undefined when it does not fit. */
type Step = (value: Value) => Value | undefined;

/** Most elements of a value: networks stay small, so that many can be tried. */
const LARGEST = 3000;

/**
 * Random networks of 3 to 10 operators with branches, views and several outputs. The quantized ones can be checked bit for
 * bit against any float executor: products have scales that are powers of two and few bits, so that float32 sums are exact
 * in every order. Values carry a QuantizeLinear/DequantizeLinear pair mostly, sometimes none.
 */
export function randomNetwork(rng: Rng, kind: 'float' | 'quantized'): RandomCase {
  return new NetworkMaker(rng, kind === 'quantized').make();
}

class NetworkMaker extends NetworkValues {
  private readonly leaked = new Set<Value>();

  make(): RandomCase {
    const { rng, b } = this;
    this.input();
    if (this.chance(0.2)) this.input();
    const count = rng.integer(3, 10);
    const steps = Object.entries(this.steps());
    for (let made = 0, tries = 0; made < count && tries < 100; tries++) {
      const [name, step] = this.pick(steps);
      const value = this.chance(0.6) ? this.values.at(-1)! : this.pick(this.values);
      const result = step(value);
      if (result === undefined) continue;
      this.said.push(`${name}[${result.dims}]`);
      this.values.push(result);
      made++;
    }
    for (const value of new Set([this.values.at(-1)!, this.pick(this.values), this.pick(this.values)])) {
      const { dims } = value;
      if (!this.quantized || value.scale === undefined || this.chance(0.5)) b.output(value.name, 'float32', dims);
      else b.output(this.quantize(value.name, this.scale()), this.type, dims);
    }
    return { what: this.said.join(' '), graph: b.build(), feeds: this.feeds };
  }

  private steps(): Record<string, Step> {
    const shared: Record<string, Step> = {
      conv: (x) => this.convolution(x),
      depthwise: (x) => this.convolution(x, this.pick([1, 2])),
      transposed: (x) => this.transposed(x),
      maxPool: (x) => this.pool(x, 'MaxPool'),
      averagePool: (x) => this.pool(x, 'AveragePool'),
      globalPool: (x) =>
        x.dims.length === 4
          ? this.finish(this.b.node('GlobalAveragePool', [x.name]), [x.dims[0], x.dims[1], 1, 1])
          : undefined,
      add: (x) => this.binary(x, this.pick(SUMS)),
      mul: (x) => this.binary(x, 'Mul'),
      addConstant: (x) => this.withConstant(x, this.pick(SUMS)),
      mulConstant: (x) => this.withConstant(x, 'Mul'),
      concat: (x) => this.concat(x),
      slice: (x) => this.slice(x),
      pad: (x) => this.pad(x),
      mirror: (x) => this.mirror(x),
      tile: (x) => this.tile(x),
      resized: (x) => this.resized(x),
      transpose: (x) => this.transpose(x),
      reduce: (x) => this.reduce(x),
      reshape: (x) => this.reshape(x),
      dense: (x) => this.dense(x),
      product: (x) => this.product(x),
      clamp: (x) => this.finish(this.activation(x.name, 1), x.dims),
    };
    if (!this.quantized)
      return {
        ...shared,
        softmax: (x) => this.softmax(x),
        bend: (x) => this.finish(this.b.node(this.pick(BENDS), [x.name]), x.dims),
      };
    return {
      ...shared,
      leaky: (x) => this.leaky(x),
      requantize: (x) => this.requantized(x.name, x.dims, this.scale()),
    };
  }

  // --- layers with weights ------------------------------------------------------------------------------------------

  /** A convolution; with `multiplier`, depthwise with so many outputs per channel. */
  private convolution(value: Value, multiplier?: number): Value | undefined {
    const { rng } = this;
    const rank = value.dims.length - 2;
    if (rank !== 1 && rank !== 2) return undefined;
    const [batch, channels, ...extents] = value.dims;
    if (channels > 24) return undefined;
    const groups = multiplier ? channels : this.pick([1, 1, channels % 2 === 0 ? 2 : 1]);
    const outputs = multiplier ? channels * multiplier : groups * rng.integer(1, 5);
    const window = this.window(extents, true);
    const dims = [batch, outputs, ...window.output];
    if (window.output.some((extent) => extent < 1) || elementCount(dims) > LARGEST) return undefined;
    const x = this.forProduct(value);
    const w = this.weights([outputs, channels / groups, ...window.attributes.kernel_shape], 0);
    const operands = [x.name, w.name, ...this.bias(outputs, x.scale ?? 1, w.scales)];
    return this.finish(this.b.node('Conv', operands, { ...window.attributes, group: groups }), dims);
  }

  /** A transposed convolution, sometimes with a channel per group. */
  private transposed(value: Value): Value | undefined {
    const { rng } = this;
    const rank = value.dims.length - 2;
    if (rank !== 1 && rank !== 2) return undefined;
    const [batch, channels, ...extents] = value.dims;
    if (channels > 12) return undefined;
    const groups = this.pick([1, channels]);
    const filters = groups === 1 ? rng.integer(1, 4) : rng.integer(1, 2);
    const kernel_shape = extents.map(() => rng.integer(1, 4));
    const strides = extents.map(() => rng.integer(1, 3));
    const dilations = extents.map(() => this.pick([1, 1, 2]));
    const pads = [...kernel_shape, ...kernel_shape].map((size) => rng.integer(0, size - 1));
    const output_padding = strides.map((stride) => rng.integer(0, stride - 1));
    const output = extents.map((extent, axis) => {
      const cut = pads[axis] + pads[axis + rank];
      const reach = (kernel_shape[axis] - 1) * dilations[axis] + 1;
      return (extent - 1) * strides[axis] + output_padding[axis] + reach - cut;
    });
    const dims = [batch, filters * groups, ...output];
    if (output.some((extent) => extent < 1) || elementCount(dims) > LARGEST) return undefined;
    const x = this.forProduct(value);
    const w = this.weights([channels, filters, ...kernel_shape], groups === 1 ? 1 : 0);
    // Scales per channel are those of outputs where each channel has one output.
    const perOutput = w.scales.length <= 1 || w.scales.length === dims[1];
    const bias = perOutput ? this.bias(dims[1], x.scale ?? 1, w.scales) : [];
    const attributes = { kernel_shape, strides, dilations, pads, output_padding, group: groups };
    return this.finish(this.b.node('ConvTranspose', [x.name, w.name, ...bias], attributes), dims);
  }

  /** A value times itself with the last two axes exchanged. */
  private product(value: Value): Value | undefined {
    const { b } = this;
    const rank = value.dims.length;
    const [rows, depth] = value.dims.slice(-2);
    // Sums of more products of int8 are not exact in float32.
    if (rank < 2 || depth > 200 || elementCount(value.dims) * rows > LARGEST * depth) return undefined;
    const x = this.forProduct(value);
    const perm = value.dims.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
    const turned = b.node('Transpose', [x.name], { perm });
    return this.finish(b.node('MatMul', [x.name, turned]), [...value.dims.slice(0, -1), rows]);
  }

  /** Gemm over a matrix, or MatMul over the last axis of anything. */
  private dense(value: Value): Value | undefined {
    const { rng, b } = this;
    const depth = value.dims.at(-1)!;
    if (value.dims.length < 2 || depth > 600) return undefined;
    const outputs = rng.integer(1, 9);
    const dims = [...value.dims.slice(0, -1), outputs];
    const x = this.forProduct(value);
    if (value.dims.length > 2 || this.chance(0.3)) {
      const w = this.weights([depth, outputs], 1);
      return this.finish(b.node('MatMul', [x.name, w.name]), dims);
    }
    const transB = rng.integer(0, 1);
    const w = this.weights(transB ? [outputs, depth] : [depth, outputs], transB ? 0 : 1);
    return this.finish(
      b.node('Gemm', [x.name, w.name, ...this.bias(outputs, x.scale ?? 1, w.scales)], { transB }),
      dims,
    );
  }

  // --- windows ------------------------------------------------------------------------------------------------------

  private window(extents: readonly number[], dilate: boolean) {
    const { rng } = this;
    const kernel_shape = extents.map((extent) => rng.integer(1, Math.min(3, extent)));
    const strides = extents.map(() => rng.integer(1, 2));
    const dilations = extents.map(() => (dilate && this.chance(0.2) ? 2 : 1));
    const pads = [...kernel_shape, ...kernel_shape].map((size) => rng.integer(0, size - 1));
    const output = extents.map((extent, axis) => {
      const slack = extent + pads[axis] + pads[axis + extents.length] - (kernel_shape[axis] - 1) * dilations[axis] - 1;
      return Math.floor(slack / strides[axis]) + 1;
    });
    return { attributes: { kernel_shape, strides, dilations, pads }, output };
  }

  private pool(value: Value, op: 'MaxPool' | 'AveragePool'): Value | undefined {
    const rank = value.dims.length - 2;
    if (rank !== 1 && rank !== 2) return undefined;
    const { attributes, output } = this.window(value.dims.slice(2), false);
    const dims = [value.dims[0], value.dims[1], ...output];
    if (op === 'MaxPool') return this.moved(this.b.node(op, [value.name], attributes), dims, value.scale);
    const count_include_pad = this.rng.integer(0, 1);
    return this.finish(this.b.node(op, [value.name], { ...attributes, count_include_pad }), dims);
  }

  // --- element-wise -------------------------------------------------------------------------------------------------

  private binary(value: Value, op: string): Value | undefined {
    const fits = ({ dims }: Value): boolean =>
      dims.length === value.dims.length && dims.every((dim, axis) => dim === value.dims[axis] || dim === 1);
    const other = this.pick(this.values.filter(fits));
    if (this.quantized && (other.scale === undefined || value.scale === undefined)) return undefined;
    const operands = this.chance(0.5) ? [value.name, other.name] : [other.name, value.name];
    return this.finish(this.b.node(op, operands), value.dims);
  }

  private withConstant(value: Value, op: string): Value | undefined {
    const { rng, b } = this;
    if (this.quantized && value.scale === undefined) return undefined;
    const all = value.dims.map((dim) => (this.chance(0.5) ? dim : 1));
    const dims = this.chance(0.3) ? all.slice(rng.integer(0, all.length)) : all;
    const data = Array.from({ length: elementCount(dims) }, () => rng.integer(-100, 100));
    let constant: string;
    if (this.quantized && this.chance(0.8)) {
      const bytes = b.initializer(tensorFrom('int8', dims, data), 'c');
      const size = b.initializer(tensorFrom('float32', [], [this.scale()]), 'c_scale');
      constant = b.node('DequantizeLinear', [bytes, size]);
    } else
      constant = b.initializer(
        tensorFrom(
          'float32',
          dims,
          data.map((x) => x / 64),
        ),
        'c',
      );
    return this.finish(b.node(op, this.chance(0.5) ? [value.name, constant] : [constant, value.name]), value.dims);
  }

  /** The engine has it between int8 grids only, and equal nodes are merged: at most one of each value, always with a pair. */
  private leaky(value: Value): Value | undefined {
    if (value.scale === undefined || this.leaked.has(value)) return undefined;
    this.leaked.add(value);
    const alpha = { kind: 'float', value: 0.25 } as const;
    return this.requantized(this.b.node('LeakyRelu', [value.name], { alpha }), value.dims, this.scale());
  }

  private softmax(value: Value): Value {
    const axis = this.rng.integer(-value.dims.length, value.dims.length - 1);
    return { ...value, name: this.b.node('Softmax', [value.name], { axis }) };
  }

  /** Over some of the axes, which stay or go. */
  private reduce(value: Value): Value {
    const axes = value.dims.map((_, axis) => axis).filter(() => this.chance(0.4));
    if (axes.length === 0) axes.push(this.rng.integer(0, value.dims.length - 1));
    const keep = axes.length === value.dims.length || this.chance(0.5);
    const dims = value.dims.flatMap((dim, axis) => (!axes.includes(axis) ? [dim] : keep ? [1] : []));
    const listed = this.b.initializer(tensorFrom('int64', [axes.length], axes), 'axes');
    const name = this.b.node(this.pick(REDUCTIONS), [value.name, listed], { keepdims: keep ? 1 : 0 });
    return this.moved(name, dims, value.scale);
  }

  // --- movements ----------------------------------------------------------------------------------------------------

  private concat(value: Value): Value | undefined {
    const axis = this.rng.integer(0, value.dims.length - 1);
    const fits = ({ dims }: Value): boolean =>
      dims.length === value.dims.length && dims.every((dim, i) => i === axis || dim === value.dims[i]);
    const others = this.values.filter(fits);
    const parts = [value, this.pick(others), ...(this.chance(0.3) ? [this.pick(others)] : [])];
    const total = parts.reduce((sum, { dims }) => sum + dims[axis], 0);
    const dims = value.dims.map((dim, i) => (i === axis ? total : dim));
    if (elementCount(dims) > LARGEST) return undefined;
    const name = this.b.node(
      'Concat',
      parts.map((part) => part.name),
      { axis },
    );
    const { scale } = value;
    if (scale !== undefined && parts.every((part) => part === value)) return this.moved(name, dims, scale);
    const known = parts.every((part) => part.scale !== undefined);
    return known && this.chance(0.8) ? this.requantized(name, dims, this.scale()) : { name, dims, scale: undefined };
  }

  private slice(value: Value): Value {
    const { rng, b } = this;
    const steps = value.dims.map(() => this.pick([1, 1, 1, 2, -1, -2]));
    const ranges = value.dims.map((dim, axis) => {
      const first = rng.integer(0, dim - 1);
      const last = rng.integer(first, dim - 1);
      const count = Math.floor((last - first) / Math.abs(steps[axis])) + 1;
      return steps[axis] > 0 ? { start: first, end: last + 1, count } : { start: last, end: first - 1 - dim, count };
    });
    const ends = ranges.map(({ end }, axis) => (steps[axis] < 0 && end === -1 - value.dims[axis] ? -1e6 : end));
    const lists = [ranges.map(({ start }) => start), ends, value.dims.map((_, axis) => axis), steps];
    const operands = lists.map((list) => b.initializer(tensorFrom('int64', [list.length], list), 'range'));
    const dims = ranges.map(({ count }) => count);
    return this.moved(b.node('Slice', [value.name, ...operands]), dims, value.scale);
  }

  private pad(value: Value): Value | undefined {
    const { rng, b } = this;
    const pads = [...value.dims, ...value.dims].map(() => (this.chance(0.4) ? rng.integer(1, 2) : 0));
    const rank = value.dims.length;
    const dims = value.dims.map((dim, axis) => dim + pads[axis] + pads[axis + rank]);
    if (elementCount(dims) > LARGEST) return undefined;
    const operands = [value.name, b.initializer(tensorFrom('int64', [2 * rank], pads), 'pads')];
    const filler = this.chance(0.5) ? 0 : rng.normal();
    operands.push(b.initializer(tensorFrom('float32', [], [filler]), 'filler'));
    const name = b.node('Pad', operands);
    if (filler === 0) return this.moved(name, dims, value.scale);
    if (value.scale === undefined || this.chance(0.5)) return { name, dims, scale: undefined };
    return this.requantized(name, dims, this.chance(0.5) ? value.scale : this.scale());
  }

  /** A border of what is inside: mirrored, repeated or the edge; some of it cut off. */
  private mirror(value: Value): Value | undefined {
    const { rng, b } = this;
    const rank = value.dims.length;
    const pads = [...value.dims, ...value.dims].map((dim) =>
      this.chance(0.4) ? rng.integer(-1, Math.min(2, dim - 1)) : 0,
    );
    const dims = value.dims.map((dim, axis) => dim + pads[axis] + pads[axis + rank]);
    if (dims.some((dim) => dim < 1) || elementCount(dims) > LARGEST) return undefined;
    // Runtimes differ in what they cut off first.
    const mode = pads.some((pad) => pad < 0) ? 'edge' : this.pick(['reflect', 'edge', 'wrap']);
    const operands = [value.name, b.initializer(tensorFrom('int64', [2 * rank], pads), 'pads')];
    return this.moved(b.node('Pad', operands, { mode }), dims, value.scale);
  }

  private tile(value: Value): Value | undefined {
    const repeats = value.dims.map(() => this.pick([1, 1, 2, 3]));
    const dims = value.dims.map((dim, axis) => dim * repeats[axis]);
    if (elementCount(dims) > LARGEST) return undefined;
    const counts = this.b.initializer(tensorFrom('int64', [dims.length], repeats), 'repeats');
    return this.moved(this.b.node('Tile', [value.name, counts]), dims, value.scale);
  }

  /** An image with other extents; mixtures of neighbours are rounded in float. */
  private resized(value: Value): Value | undefined {
    const [batch, channels, ...extents] = value.dims;
    if (extents.length !== 2) return undefined;
    const dims = [batch, channels, ...extents.map((extent) => this.rng.integer(1, 2 * extent + 1))];
    if (elementCount(dims) > LARGEST) return undefined;
    const sizes = this.b.initializer(tensorFrom('int64', [4], dims), 'sizes');
    const attributes = {
      mode: this.quantized ? 'nearest' : this.pick(['nearest', 'linear', 'cubic']),
      coordinate_transformation_mode: this.pick(['half_pixel', 'asymmetric', 'align_corners']),
      // Of two elements equally near onnxruntime takes now one, now the other.
      nearest_mode: this.pick(['floor', 'ceil']),
    };
    return this.moved(this.b.node('Resize', [value.name, '', '', sizes], attributes), dims, value.scale);
  }

  private transpose(value: Value): Value {
    const perm = Array.from(this.rng.permutation(value.dims.length));
    const dims = perm.map((axis) => value.dims[axis]);
    return this.moved(this.b.node('Transpose', [value.name], { perm }), dims, value.scale);
  }

  /** Extents of rank 1 to 5 with the same product: prime factors dealt out anew, in order, with ones in between. */
  private reshape(value: Value): Value {
    let rest = elementCount(value.dims);
    const dims = new Array<number>(this.rng.integer(1, 5)).fill(1);
    for (let prime = 2; rest > 1; prime++)
      for (; rest % prime === 0; rest /= prime) dims[this.rng.integer(0, dims.length - 1)] *= prime;
    const target = this.b.initializer(tensorFrom('int64', [dims.length], dims), 'target');
    return this.moved(this.b.node('Reshape', [value.name, target]), dims, value.scale);
  }
}
