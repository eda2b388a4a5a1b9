import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { ElementType } from '../../lib/ir/element-type';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { writeModel } from '../../lib/onnx/write-model';
import { integerKernelsSaturate } from '../../lib/reference/saturation';
import { openReference } from '../../lib/reference/session';
import { shiftProducts } from '../../lib/reference/shift-products';
import { SATURATING_HOST } from '../saturating-host';

type Byte = 'int8' | 'uint8';

interface Case {
  readonly op: 'QLinearConv' | 'QLinearMatMul' | 'MatMulInteger' | 'ConvInteger';
  readonly a: Byte;
  readonly b: Byte;
  /** Whether the second operand is an input of the graph. */
  readonly dynamic?: boolean;
  /** Whether zero points are left out. */
  readonly bare?: boolean;
  /** One zero point and scale per output channel. */
  readonly perChannel?: boolean;
}

const CASES: readonly Case[] = [
  { op: 'QLinearConv', a: 'uint8', b: 'int8' },
  { op: 'QLinearConv', a: 'uint8', b: 'int8', perChannel: true },
  { op: 'QLinearConv', a: 'int8', b: 'int8', perChannel: true },
  { op: 'QLinearConv', a: 'uint8', b: 'uint8' },
  { op: 'QLinearMatMul', a: 'uint8', b: 'int8' },
  { op: 'QLinearMatMul', a: 'uint8', b: 'int8', perChannel: true },
  { op: 'QLinearMatMul', a: 'int8', b: 'int8', dynamic: true },
  { op: 'MatMulInteger', a: 'uint8', b: 'int8' },
  { op: 'MatMulInteger', a: 'uint8', b: 'int8', bare: true },
  { op: 'MatMulInteger', a: 'int8', b: 'int8', dynamic: true },
  { op: 'ConvInteger', a: 'uint8', b: 'int8' },
];

const K = 32;
const UNITS = 4;

/** A graph of one product whose operands lie near the ends of their ranges, and numbers for its inputs. */
function networkOf(
  { op, a, b, dynamic, bare, perChannel }: Case,
  rng: Rng,
): { graph: Graph; feeds: Map<string, Tensor> } {
  const builder = new GraphBuilder();
  const conv = isConvolution(op);
  const dims = conv
    ? { x: [1, K, 2, 2], w: [UNITS, K, 1, 1], y: [1, UNITS, 2, 2] }
    : { x: [3, K], w: [K, UNITS], y: [3, UNITS] };
  const numbers = (type: Byte, shape: readonly number[], ends: number) =>
    tensorFrom(
      type,
      shape,
      Array.from({ length: shape.reduce((product, dim) => product * dim, 1) }, () => {
        const code = 255 - rng.integer(0, ends);
        return type === 'uint8' ? code : code - 128;
      }),
    );
  const feeds = new Map([['x', numbers(a, dims.x, 20)]]);
  builder.input('x', a, dims.x);
  let w = 'w';
  if (dynamic) {
    builder.input('w', b, dims.w);
    feeds.set('w', numbers(b, dims.w, 20));
  } else w = builder.initializer(numbers(b, dims.w, 20), 'w');
  const per = perChannel ? [UNITS] : [];
  const scalar = (type: Byte | 'float32', values: number[], shape: number[] = []) =>
    builder.initializer(tensorFrom(type, shape, values));
  const zeroX = bare ? undefined : scalar(a, [a === 'uint8' ? 3 : -5]);
  const zeroW = bare ? undefined : scalar(b, new Array(perChannel ? UNITS : 1).fill(b === 'uint8' ? 7 : 0), per);
  const type: ElementType = op.startsWith('QLinear') ? a : 'int32';
  if (type === 'int32') builder.node(op, ['x', w, ...(bare ? [] : [zeroX!, zeroW!])], {}, { outputs: ['y'] });
  else {
    const scales = scalar(
      'float32',
      Array.from({ length: perChannel ? UNITS : 1 }, (_, i) => 0.01 + 0.002 * i),
      per,
    );
    const inputs = [
      'x',
      scalar('float32', [0.02]),
      zeroX!,
      w,
      scales,
      zeroW!,
      scalar('float32', [1.1]),
      scalar(a, [2]),
    ];
    builder.node(op, inputs, {}, { outputs: ['y'] });
  }
  builder.output('y', type, dims.y);
  return { graph: builder.build(), feeds };
}

const isConvolution = (op: Case['op']) => op === 'QLinearConv' || op === 'ConvInteger';

/** What ONNX says, in whole numbers (quantized again in float32, as onnxruntime does). */
function expectedOf({ op, a, b, bare, perChannel }: Case, graph: Graph, feeds: Map<string, Tensor>): number[] {
  const x = toNumbers(feeds.get('x')!);
  const w = toNumbers(feeds.get('w') ?? graph.initializers.get('w')!);
  const zeroX = bare ? 0 : a === 'uint8' ? 3 : -5;
  const zeroW = bare || b === 'int8' ? 0 : 7;
  const conv = isConvolution(op);
  const at = (row: number, k: number) => (conv ? x[4 * k + row] : x[K * row + k]) - zeroX;
  const weight = (unit: number, k: number) => (conv ? w[K * unit + k] : w[UNITS * k + unit]) - zeroW;
  const sums = Array.from({ length: (conv ? 4 : 3) * UNITS }, (_, index) => {
    const [row, unit] = conv ? [index % 4, index >> 2] : [Math.floor(index / UNITS), index % UNITS];
    return { unit, sum: Array.from({ length: K }, (__, k) => at(row, k) * weight(unit, k)).reduce((p, q) => p + q) };
  });
  if (!op.startsWith('QLinear')) return sums.map(({ sum }) => sum);
  const [low, high] = a === 'uint8' ? [0, 255] : [-128, 127];
  return sums.map(({ sum, unit }) => {
    const scale = 0.01 + (perChannel ? 0.002 * unit : 0);
    return Math.max(low, Math.min(high, Math.round((sum * 0.02 * scale) / 1.1) + 2));
  });
}

const nameOf = (each: Case) =>
  [
    each.op,
    each.a,
    'x',
    each.b,
    each.dynamic && 'dynamic',
    each.bare && 'without zero points',
    each.perChannel && 'per channel',
  ]
    .filter(Boolean)
    .join(' ');

describe('integer products are exact on every machine', () => {
  test.each(CASES.map((each) => [nameOf(each), each] as const))('%s', async (_, each) => {
    const { graph, feeds } = networkOf(each, new Rng(7));
    const expected = expectedOf(each, graph, feeds);
    const shifted = shiftProducts(graph);
    expect(verify(shifted)).toEqual([]);
    expect(shiftProducts(shifted)).toBe(shifted);
    for (const model of [graph, writeModel(graph)])
      for (const optimization of ['all', 'disabled'] as const) {
        await using session = await openReference(model, { optimization });
        const found = toNumbers((await session.run(feeds)).get('y')!);
        // A product that lies within float32 rounding of a half may go either way.
        const far = found.filter(
          (value, index) => Math.abs(value - expected[index]) > (each.op.startsWith('QLinear') ? 1 : 0),
        );
        expect(far).toEqual([]);
      }
  });
});

/** y = condition ? MatMulInteger(x, w) : MatMulInteger(x, w) with the weights outside of the branches. */
function branching(): Graph {
  const branch = (name: string): Graph => {
    const inner = new GraphBuilder({ name });
    inner.node('MatMulInteger', ['x', 'w'], {}, { outputs: [`${name}_y`] });
    inner.output(`${name}_y`, 'int32', [1, 1]);
    return inner.build();
  };
  const builder = new GraphBuilder();
  builder.input('condition', 'bool', []);
  builder.input('x', 'uint8', [1, K]);
  builder.initializer(tensorFrom('int8', [K, 1], new Array(K).fill(127)), 'w');
  builder.node(
    'If',
    ['condition'],
    { then_branch: { kind: 'graph', value: branch('then') }, else_branch: { kind: 'graph', value: branch('else') } },
    { outputs: ['y'] },
  );
  builder.output('y', 'int32', [1, 1]);
  return builder.build();
}

test('products inside branches count, with weights from outside', async () => {
  await using session = await openReference(branching());
  const x = tensorFrom('uint8', [1, K], new Array(K).fill(255));
  const found = await session.run(
    new Map([
      ['condition', tensorFrom('bool', [], [1])],
      ['x', x],
    ]),
  );
  expect(toNumbers(found.get('y')!)).toEqual([K * 255 * 127]);
});

test('an operand of unknown type is refused by name', async () => {
  const builder = new GraphBuilder();
  builder.input('x', 'uint8', [1, K]);
  builder.input('w', 'int8', [K, 1]);
  const hidden = builder.node('Identity', ['w'], {}, { outputs: ['hidden'] });
  builder.node('MatMulInteger', ['x', hidden], {}, { outputs: ['y'] });
  builder.output('y', 'int32', [1, 1]);
  const graph = builder.build();
  const untyped = { ...graph, values: new Map([...graph.values].filter(([name]) => name !== 'hidden')) };
  await expect(openReference(untyped)).rejects.toMatchObject({
    code: 'E_REFERENCE_LOAD',
    message: expect.stringContaining("'hidden'"),
  });
});

test('the host is asked whether its integer kernels saturate', async () => {
  expect(await integerKernelsSaturate()).toBe(SATURATING_HOST);
});
