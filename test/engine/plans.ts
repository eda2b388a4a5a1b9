import type {
  PlanDescription,
  PlanNode,
  PlanPort,
  PlanTensor,
  PlanVariant,
  PlanWeights,
} from '../../lib/plan/description';
import { PLAN_TYPE_BYTES, type PlanType } from '../../lib/plan/format';
import { writePlan } from '../../lib/plan/writer';

/** int8 grid that most tests use. */
export const GRID = { scale: 0.5, zeroPoint: 3 };
export const NO_WINDOW = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pad: [0, 0] } as const;

type Content = Int8Array | Uint8Array | Int32Array | Float32Array;

/** Collects tensors and nodes of one variant; arena offsets are handed out without reuse. */
export class PlanBuilder {
  readonly tensors: PlanTensor[] = [];
  readonly nodes: PlanNode[] = [];
  readonly inputs: PlanPort[] = [];
  readonly outputs: PlanPort[] = [];
  readonly states: { input: number; output: number }[] = [];
  readonly constants: Uint8Array[] = [];
  readonly encoded: PlanWeights[] = [];
  arenaBytes = 0;
  private stateBytes = 0;

  input(
    name: string,
    type: PlanType,
    dims: readonly number[],
    grid: { scale?: number; zeroPoint?: number } = {},
  ): number {
    this.inputs.push({ name, tensor: this.tensors.length, type, dims });
    return this.tensors.push({ name, type, dims, place: 'port', ...grid }) - 1;
  }

  output(
    name: string,
    type: PlanType,
    dims: readonly number[],
    grid: { scale?: number; zeroPoint?: number } = {},
  ): number {
    this.outputs.push({ name, tensor: this.tensors.length, type, dims });
    return this.tensors.push({ name, type, dims, place: 'port', ...grid }) - 1;
  }

  arena(type: PlanType, dims: readonly number[], grid: { scale?: number; zeroPoint?: number } = {}): number {
    const offset = this.arenaBytes;
    this.arenaBytes += align(bytesOf(type, dims));
    return this.tensors.push({ name: `t${this.tensors.length}`, type, dims, place: 'arena', offset, ...grid }) - 1;
  }

  state(type: PlanType, dims: readonly number[], grid: { scale?: number; zeroPoint?: number } = {}): number {
    const offset = this.stateBytes;
    this.stateBytes += align(bytesOf(type, dims));
    return this.tensors.push({ name: `s${this.tensors.length}`, type, dims, place: 'state', offset, ...grid }) - 1;
  }

  constant(content: Content, dims: readonly number[] = [content.length]): number {
    const type = content.constructor.name.replace('Array', '').toLowerCase() as PlanType;
    const constant = this.constants.push(new Uint8Array(content.buffer.slice(0))) - 1;
    return this.tensors.push({ name: `c${constant}`, type, dims, place: 'constant', constant }) - 1;
  }

  /** A constant that is held as codes. */
  coded(
    weights: Omit<PlanWeights, 'codes' | 'table'>,
    dims: readonly number[],
    codes: Content,
    table?: Content,
  ): number {
    const add = (content: Content) => this.constants.push(new Uint8Array(content.buffer.slice(0))) - 1;
    const index = this.encoded.push({ ...weights, codes: add(codes), ...(table ? { table: add(table) } : {}) }) - 1;
    return this.tensors.push({ name: `w${index}`, type: weights.type, dims, place: 'encoded', weights: index }) - 1;
  }

  node(node: Omit<PlanNode, 'name'> & { name?: string }): this {
    this.nodes.push({ name: `n${this.nodes.length}`, ...node } as PlanNode);
    return this;
  }

  variant(name = 'default'): PlanVariant {
    const { tensors, nodes, inputs, outputs, states, arenaBytes } = this;
    return { name, tensors, nodes, inputs, outputs, states, arenaBytes };
  }

  describe(): PlanDescription {
    const { constants, encoded } = this;
    const coded = encoded.length > 0 ? { encoded } : {};
    return { sourceHash: '0'.repeat(64), metadata: {}, constants, ...coded, variants: [this.variant()] };
  }

  write(): Uint8Array {
    return writePlan(this.describe());
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

function bytesOf(type: PlanType, dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, PLAN_TYPE_BYTES[type]);
}

/** A small network with most int8 kernels: quantize, convolution, residual sum, depthwise, pool, fc, dequantize, softmax. */
export function smallNetwork(size = 8, channels = 16): PlanBuilder {
  const b = new PlanBuilder();
  const image = [1, size, size, channels];
  const half = [1, size / 2, size / 2, channels];
  const around = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], pad: [1, 1] } as const;
  const x = b.input('image', 'float32', [1, 3, size, size]);
  const y = b.output('scores', 'float32', [1, 10]);
  const q = b.arena('int8', [1, size, size, 3], { scale: 1 / 64, zeroPoint: -5 });
  b.node({ op: 'quantize_s8', outputs: [q], inputs: [x], params: { channelsFirst: true } });
  const first = b.arena('int8', image, { scale: 1 / 32, zeroPoint: -10 });
  const stem = weights(b, [channels, 3, 3, 3], channels, 1 / 128);
  b.node({
    op: 'conv_s8',
    outputs: [first],
    inputs: [q, ...stem],
    params: { window: around, groups: 1, clamp: { qmin: -10 } },
  });
  const second = b.arena('int8', image, { scale: 1 / 16, zeroPoint: 2 });
  const body = weights(b, [channels, 3, 3, channels], channels, 1 / 256);
  const residual = { scale: 1 / 20, zeroPoint: 1 };
  b.node({
    op: 'conv_s8',
    outputs: [second],
    inputs: [first, ...body, null, first],
    params: { window: around, groups: 1, residual },
  });
  const third = b.arena('int8', image, { scale: 1 / 16, zeroPoint: 0 });
  const depth = weights(b, [3, 3, channels], channels, 1 / 100);
  b.node({
    op: 'dwconv_s8',
    outputs: [third],
    inputs: [second, ...depth],
    params: { window: around, groups: channels },
  });
  const pooled = b.arena('int8', half, { scale: 1 / 16, zeroPoint: 0 });
  const two = { kernel: [2, 2], stride: [2, 2], dilation: [1, 1], pad: [0, 0] } as const;
  b.node({ op: 'max_pool_s8', outputs: [pooled], inputs: [third], params: { window: two } });
  const mean = b.arena('int8', [1, 1, 1, channels], { scale: 1 / 24, zeroPoint: -1 });
  const whole = { kernel: [size / 2, size / 2], stride: [1, 1], dilation: [1, 1], pad: [0, 0] } as const;
  b.node({ op: 'average_pool_s8', outputs: [mean], inputs: [pooled], params: { window: whole } });
  const logits = b.arena('int8', [1, 10], { scale: 1 / 8, zeroPoint: 4 });
  b.node({ op: 'fc_s8', outputs: [logits], inputs: [mean, ...weights(b, [10, channels], 10, 1 / 64)], params: {} });
  const real = b.arena('float32', [1, 10]);
  b.node({ op: 'dequantize_s8', outputs: [real], inputs: [logits], params: { channelsFirst: false } });
  b.node({ op: 'softmax_f32', outputs: [y], inputs: [real] });
  return b;
}

/** Sums of numbers that are all denormal: large enough for several threads, zero where one takes denormals for zero. */
export function denormalNetwork(): PlanBuilder {
  const b = new PlanBuilder();
  const dims = [64, 1024];
  const x = b.input('x', 'int8', dims, { scale: 2 ** -140, zeroPoint: 3 });
  const real = b.arena('float32', dims);
  b.node({ op: 'dequantize_s8', outputs: [real], inputs: [x], params: { channelsFirst: false } });
  const y = b.output('y', 'float32', dims);
  return b.node({ op: 'binary_f32', outputs: [y], inputs: [real, real], params: { operation: 'add' } });
}

/** Weights, bias and multipliers with fixed varied values. */
function weights(b: PlanBuilder, dims: readonly number[], outputs: number, multiplier: number): number[] {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return [
    b.constant(
      Int8Array.from({ length: count }, (_, i) => ((i * 37 + 11) % 255) - 127),
      dims,
    ),
    b.constant(Int32Array.from({ length: outputs }, (_, i) => i * 50 - 300)),
    b.constant(Float32Array.from({ length: outputs }, (_, i) => multiplier / (16 + (i % 5)))),
  ];
}

/** Elements of an input in [-1, 1), fixed. */
export function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 29) % 256) / 128 - 1);
}
