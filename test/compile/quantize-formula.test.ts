import type { GraphBuilder } from '../../lib/ir/builder';
import type { ElementType } from '../../lib/ir/element-type';
import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { fromDense, toDense } from '../../lib/ops/dense';
import { integerRange, QUANTIZED_TYPES } from '../../lib/ops/quantizer';
import { integers, uniform } from '../ops/op-case';
import { compiled, runEngine, runReference } from './run-case';
import { sketch } from './small-graphs';

const DIMS = [2, 4, 6];
const SCALES = [0.013, 0.07, 0.0021, 0.3];
const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: less } = Number;

/** Numbers with all that QuantizeLinear has rules for: ties, what saturates, what is no number. */
function floats(large = 1e30): Tensor {
  const data = Array.from(toDense(uniform(DIMS, 3), 'float32').data, (value) => value * 4);
  data.splice(0, 12, 0.0325, -0.0325, 0.0065, large, -large, infinity, less, nan, -0, 1e-40, 80, -80);
  return tensorFrom('float32', DIMS, data);
}

function constant(b: GraphBuilder, type: ElementType, dims: readonly number[], values: readonly number[]): string {
  const tensor = fromDense({ type, dims, data: Float64Array.from(values) });
  return b.initializer(tensor, type);
}

const zerosOf = (type: ElementType) => (integerRange(type)[0] < 0 ? [1, 0, -3, 5] : [1, 0, 13, 5]);

interface Grid {
  readonly title: string;
  readonly scale: (b: GraphBuilder) => string;
  readonly zero?: (b: GraphBuilder, type: ElementType) => string;
  readonly attributes?: Record<string, number>;
  readonly feeds?: ReadonlyMap<string, Tensor>;
  readonly types?: readonly ElementType[];
}

const perAxis = (b: GraphBuilder) => constant(b, 'float32', [4], SCALES);
const GRIDS: readonly Grid[] = [
  { title: 'along an axis', scale: perAxis, zero: (b, type) => constant(b, type, [4], zerosOf(type)) },
  {
    title: 'along an axis, all zero points 0',
    scale: perAxis,
    zero: (b, type) => constant(b, type, [4], [0, 0, 0, 0]),
  },
  {
    title: 'along the last axis but one, from behind',
    scale: perAxis,
    attributes: { axis: -2 },
    zero: (b, type) => constant(b, type, [4], zerosOf(type)),
  },
  {
    title: 'computed',
    scale: (b) => b.input('s', 'float32', []),
    feeds: new Map([['s', tensorFrom('float32', [], [0.013])]]),
    zero: (b, type) => constant(b, type, [], [3]),
  },
  {
    title: 'computed, with a computed zero point',
    scale: (b) => b.input('s', 'float32', [4]),
    zero: (b, type) => b.input('z', type, [4]),
    feeds: new Map([['s', tensorFrom('float32', [4], SCALES)]]),
    types: ['int8', 'uint8'],
  },
  {
    title: 'per tensor',
    scale: (b) => constant(b, 'float32', [], [0.013]),
    zero: (b, type) => constant(b, type, [], [3]),
  },
  {
    title: 'per block',
    scale: (b) =>
      b.initializer(
        tensorFrom(
          'float32',
          [2, 4, 2],
          Array.from({ length: 16 }, (_, i) => 0.01 * (i + 1)),
        ),
      ),
    zero: (b, type) =>
      constant(
        b,
        type,
        [2, 4, 2],
        Array.from({ length: 16 }, (_, i) => i % 7),
      ),
    attributes: { axis: 2, block_size: 3 },
  },
];

const CASES = GRIDS.flatMap(({ types = QUANTIZED_TYPES, ...grid }) => types.map((type) => ({ ...grid, type })));

test.each(CASES)('QuantizeLinear and back $title: $type', async ({ scale, zero, attributes, feeds, type }) => {
  const graph = sketch((b) => {
    const grid = [scale(b), ...(zero ? [zero(b, type)] : [])];
    const q = b.node('QuantizeLinear', [b.input('x', 'float32', DIMS), ...grid], attributes, { outputs: ['q'] });
    const back = b.node('DequantizeLinear', [q, ...grid], attributes);
    return type === 'int8' || type === 'uint8' ? [q, back] : [back];
  });
  // onnxruntime's blocks of 4 bits go through int32, which wraps.
  const large = attributes?.block_size && type.endsWith('int4') ? 1e6 : 1e30;
  const given = new Map([['x', floats(large)], ...(feeds ?? [])]);
  if (graph.inputs.includes('z')) given.set('z', tensorFrom(type as 'int8' | 'uint8', [4], zerosOf(type)));
  await expectEqual(graph, given);
});

test.each(['int8', 'uint8', 'int32'] as const)('DequantizeLinear of given %s', async (type) => {
  const graph = sketch((b) => {
    const x = b.input('x', type, DIMS);
    const computed = b.node('Abs', [b.input('s', 'float32', [4])]);
    return [
      b.node('DequantizeLinear', [x, perAxis(b)]),
      b.node('DequantizeLinear', [x, computed]),
      b.node('DequantizeLinear', [b.initializer(integers(type, [4], 0, 100)), computed], { axis: 0 }),
    ];
  });
  const x = integers(type, DIMS, type === 'uint8' ? 0 : -100, type === 'int32' ? 2e9 : 100);
  await expectEqual(graph, new Map(Object.entries({ x, s: uniform([4], 5) })));
});

test('a network with activations of 16 bits', async () => {
  const graph = sketch((b, s) => {
    const grid = [s.scalar(2 ** -12), constant(b, 'int16', [], [-7])];
    const pair = (value: string) => b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, ...grid]), ...grid]);
    const x = pair(b.input('x', 'float32', [1, 3, 8, 8]));
    return [pair(b.node('Relu', [s.conv(x, 3, 4)]))];
  });
  // Scales are powers of two and codes few: sums are exact.
  await expectEqual(graph, new Map([['x', uniform([1, 3, 8, 8])]]));
});

/** Every element as onnxruntime has it, every node as written. */
async function expectEqual(graph: ReturnType<typeof sketch>, feeds: ReadonlyMap<string, Tensor>): Promise<void> {
  const expected = await runReference(graph, feeds);
  const found = runEngine(compiled(graph).plan, feeds, 2);
  for (const [name, tensor] of expected) {
    const wrong = toNumbers(tensor).flatMap((value, i) =>
      value === found[name][i] ? [] : [[i, value, found[name][i]]],
    );
    expect({ name, wrong }).toEqual({ name, wrong: [] });
    expect(found[name]).toHaveLength(toNumbers(tensor).length);
  }
}
