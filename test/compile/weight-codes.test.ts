import { compile } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import type { ElementType } from '../../lib/ir/element-type';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { fromDense } from '../../lib/ops/dense';
import { prepare } from '../../lib/passes/pipeline';
import type { PlanDescription, PlanWeights } from '../../lib/plan/description';
import { writePlan } from '../../lib/plan/writer';
import { HASH, runEngine, runReference } from './run-case';
import type { Sketch } from './small-graphs';
import { sketch } from './small-graphs';

/** What a plan should hold: encoding, bits, and the elements that have a scale together. */
type Expected = readonly [encoding: PlanWeights['encoding'], bits: number, group?: number];

/** Integers of a type, in all of its range unless `reach` says less. */
function integers(type: ElementType, dims: readonly number[], rng: Rng, reach = 8): Tensor {
  const low = type.startsWith('u') ? 0 : -reach;
  const high = type.startsWith('u') ? 2 * reach - 1 : reach - 1;
  const data = Int16Array.from({ length: elementCount(dims) }, () => rng.integer(low, high));
  return fromDense({ type, dims, data: type.startsWith('u') ? Uint8Array.from(data) : Int8Array.from(data) });
}

interface Quantized {
  readonly type: 'int4' | 'uint4' | 'int8' | 'uint8';
  readonly dims: readonly number[];
  readonly axis?: number;
  readonly block?: number;
  readonly zeros?: boolean;
}

/** DequantizeLinear of constants: one scale, one along an axis, or one per block along it. */
function dequantized({ b }: Sketch, { type, dims, axis, block = 0, zeros = false }: Quantized): string {
  const rng = new Rng(3);
  const reach = type.endsWith('4') ? 8 : 128;
  const scaleDims =
    axis === undefined ? [] : block > 0 ? dims.map((d, at) => (at === axis ? Math.ceil(d / block) : d)) : [dims[axis]];
  const scales = Array.from({ length: elementCount(scaleDims) }, () => 0.01 + rng.uniform() / 50);
  const inputs = [
    b.initializer(integers(type, dims, rng, reach), 'w'),
    b.initializer(tensorFrom('float32', scaleDims, scales), 's'),
    ...(zeros ? [b.initializer(integers(type, scaleDims, rng, reach), 'z')] : []),
  ];
  return b.node('DequantizeLinear', inputs, axis === undefined ? {} : { axis, block_size: block });
}

const floats = (s: Sketch, dims: readonly number[], distinct: number): string => {
  const [rng, entries] = [new Rng(8), Array.from({ length: distinct }, (_, i) => Math.sin(i + 1))];
  const data = Array.from({ length: elementCount(dims) }, () => entries[rng.integer(0, distinct - 1)]);
  return s.b.initializer(tensorFrom('float32', dims, data), 'w');
};

/** Weights of a shared table: Gather, as compression writes it. */
const gathered = (s: Sketch, dims: readonly number[], distinct: number): string => {
  const rng = new Rng(9);
  const entries = Array.from({ length: distinct }, (_, i) => Math.cos(i + 1));
  const indices = Array.from({ length: elementCount(dims) }, () => rng.integer(0, distinct - 1));
  return s.b.node('Gather', [
    s.b.initializer(tensorFrom('float32', [distinct], entries), 'table'),
    s.b.initializer(tensorFrom('int64', dims, indices), 'indices'),
  ]);
};

const matMul =
  (inputs: number, weights: (s: Sketch) => string, rows = 1) =>
  (s: Sketch): string =>
    s.b.node('MatMul', [s.b.input('x', 'float32', [rows, inputs]), weights(s)]);
/** Products of com.microsoft with 4-bit weights in blocks of 32 of the 70 inputs, as language models are distributed. */
const matMulNBits =
  (rows: number, zeros: boolean) =>
  ({ b }: Sketch): string => {
    const [inputs, outputs, blocks] = [70, 50, 3];
    const rng = new Rng(7);
    const scales = Array.from({ length: outputs * blocks }, () => 0.01 + rng.uniform() / 50);
    b.opset('com.microsoft', 1);
    return b.node(
      'MatMulNBits',
      [
        b.input('x', 'float32', [rows, inputs]),
        b.initializer(integers('uint8', [outputs, blocks, 16], rng, 128), 'w'),
        b.initializer(tensorFrom('float32', [outputs * blocks], scales), 's'),
        ...(zeros ? [b.initializer(integers('uint8', [outputs * 2], rng, 128), 'z')] : []),
      ],
      { K: inputs, N: outputs, bits: 4, block_size: 32 },
      { domain: 'com.microsoft' },
    );
  };
const conv = (channels: number, weights: (s: Sketch) => string, values = {}) => {
  return (s: Sketch): string =>
    s.b.node('Conv', [s.b.input('x', 'float32', [1, channels, 6, 5]), weights(s)], { pads: [1, 1, 1, 1], ...values });
};
/** A layer between quantized tensors. */
const whole =
  (op: string, x: readonly number[], weights: (s: Sketch) => string, values = {}) =>
  (s: Sketch): string =>
    s.pair(s.b.node(op, [s.pair(s.b.input('x', 'float32', x)), weights(s)], values));

const CASES: readonly (readonly [title: string, draw: (s: Sketch) => string, expected: Expected])[] = [
  ['int4, one scale', matMul(70, (s) => dequantized(s, { type: 'int4', dims: [70, 50] })), ['codebook', 4]],
  ['int4 per column', matMul(70, (s) => dequantized(s, { type: 'int4', dims: [70, 50], axis: 1 })), ['scaled', 4, 70]],
  [
    'int4 in blocks of 32',
    matMul(70, (s) => dequantized(s, { type: 'int4', dims: [70, 50], axis: 0, block: 32 })),
    ['scaled', 4, 32],
  ],
  [
    'uint4 in blocks of 16 with zero points, several rows',
    matMul(48, (s) => dequantized(s, { type: 'uint4', dims: [48, 67], axis: 0, block: 16, zeros: true }), 7),
    ['scaled', 4, 16],
  ],
  ['MatMulNBits', matMulNBits(1, false), ['scaled', 4, 32]],
  ['MatMulNBits with zero points, several rows', matMulNBits(6, true), ['scaled', 4, 32]],
  [
    'uint8 per column with zero points',
    matMul(64, (s) => dequantized(s, { type: 'uint8', dims: [64, 64], axis: 1, zeros: true }), 3),
    ['scaled', 8, 64],
  ],
  ['12 different floats', matMul(64, (s) => floats(s, [64, 40], 12)), ['codebook', 4]],
  ['200 different floats', matMul(65, (s) => floats(s, [65, 40], 200), 2), ['codebook', 8]],
  ['a table of 16 that weights are gathered from', matMul(64, (s) => gathered(s, [64, 40], 16)), ['codebook', 4]],
  ['a table of 256', conv(8, (s) => gathered(s, [16, 8, 3, 3], 256)), ['codebook', 8]],
  [
    'a convolution of int4 per channel',
    conv(8, (s) => dequantized(s, { type: 'int4', dims: [16, 8, 3, 3], axis: 0 })),
    ['scaled', 4, 72],
  ],
  [
    'a depthwise convolution of one scale',
    conv(80, (s) => dequantized(s, { type: 'int4', dims: [80, 1, 3, 3] }), { group: 80 }),
    ['scaled', 4, 80],
  ],
  [
    'int8 kernels with int4 weights',
    whole('MatMul', [2, 64], (s) => dequantized(s, { type: 'int4', dims: [64, 40], axis: 1 })),
    ['narrow', 4],
  ],
  [
    'int8 kernels with uint4 weights and zero points',
    whole('MatMul', [2, 64], (s) => dequantized(s, { type: 'uint4', dims: [64, 40], axis: 1, zeros: true })),
    ['narrow', 4],
  ],
  [
    'int8 convolution with int4 weights',
    whole('Conv', [1, 8, 6, 5], (s) => dequantized(s, { type: 'int4', dims: [16, 8, 3, 3], axis: 0 })),
    ['narrow', 4],
  ],
  [
    'rows of a table of int8, each with its scale',
    (s) => {
      const table = dequantized(s, { type: 'int8', dims: [60, 33], axis: 0 });
      const rows = s.b.node('Gather', [table, s.b.input('i', 'int64', [4])]);
      return s.b.node('Add', [rows, s.b.input('x', 'float32', [4, 33])]);
    },
    ['scaled', 8, 33],
  ],
];

function feedsOf(graph: ReturnType<typeof sketch>): Map<string, Tensor> {
  const rng = new Rng(4);
  return new Map(
    graph.inputs.map((name) => {
      const { type, shape } = graph.values.get(name)!;
      const dims = shape as number[];
      const count = elementCount(dims);
      if (type === 'int64') return [name, tensorFrom('int64', dims, [3, -1, 59, 0])];
      return [
        name,
        tensorFrom(
          'float32',
          dims,
          Array.from({ length: count }, () => rng.normal()),
        ),
      ];
    }),
  );
}

/** Elements by the words of the format, one by one. */
function decode(
  { encoding, type, bits, row, group = 0, zeroPoints, codes, table }: PlanWeights,
  all: readonly Uint8Array[],
) {
  const bytes = all[codes];
  const rowBytes = bits === 4 ? (row + 1) >> 1 : row;
  const count = (bytes.length / rowBytes) * row;
  const elements = new (type === 'int8' ? Int8Array : Float32Array)(count);
  const blob = table === undefined ? new ArrayBuffer(0) : all[table].slice().buffer;
  const perRow = Math.ceil(row / group);
  const groups = (count / row) * perRow;
  for (let i = 0; i < count; i++) {
    const [r, k] = [Math.floor(i / row), i % row];
    const byte = bytes[r * rowBytes + (bits === 4 ? k >> 1 : k)];
    const unsigned = bits === 8 ? byte : k % 2 === 1 ? byte >> 4 : byte & 15;
    const signed = unsigned < 2 ** (bits - 1) ? unsigned : unsigned - 2 ** bits;
    const place = r * perRow + Math.floor(k / group);
    if (encoding === 'narrow') elements[i] = signed;
    else if (encoding === 'codebook') elements[i] = new (type === 'int8' ? Int8Array : Float32Array)(blob)[unsigned];
    else {
      const zero = zeroPoints ? new Int8Array(blob, groups * 4)[place] : 0;
      elements[i] = Math.fround((signed - zero) * new Float32Array(blob, 0, groups)[place]);
    }
  }
  return new Uint8Array(elements.buffer);
}

/** The same plan with all elements as they are. */
function withoutCodes({ encoded = [], ...plan }: PlanDescription): PlanDescription {
  const decoded = encoded.map((weights) => decode(weights, plan.constants));
  const variants = plan.variants.map((variant) => ({
    ...variant,
    tensors: variant.tensors.map((tensor) =>
      tensor.place === 'encoded'
        ? (({ weights, ...rest }) => ({
            ...rest,
            place: 'constant' as const,
            constant: plan.constants.length + weights,
          }))(tensor)
        : tensor,
    ),
  }));
  return { ...plan, constants: [...plan.constants, ...decoded], variants };
}

test.each(CASES)('%s: held as codes, and computed as without', async (_, draw, [encoding, bits, group = 0]) => {
  const graph = sketch((_b, s) => [draw(s)]);
  const { plan, description } = compile(prepare(graph, { verify: true }).graph, { sourceHash: HASH });
  expect(description.encoded?.map((weights) => [weights.encoding, weights.bits, weights.group ?? 0])).toEqual([
    [encoding, bits, group],
  ]);
  const plain = writePlan(withoutCodes(description));
  expect(plan.length).toBeLessThan(plain.length);
  const feeds = feedsOf(graph);
  const found = runEngine(plan, feeds);
  expect(found).toEqual(runEngine(plain, feeds));
  for (const [name, expected] of await runReference(graph, feeds)) {
    const values = new Float32Array(expected.bytes.slice().buffer);
    const worst = Math.max(...values.map((value, i) => Math.abs(value - found[name][i]) / (1 + Math.abs(value))));
    expect(worst).toBeLessThan(1e-5);
  }
});
