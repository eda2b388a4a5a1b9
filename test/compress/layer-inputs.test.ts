import { type ProductLayer, productLayer } from '../../lib/compress/layer-inputs';
import { ColumnPower, SecondMoment } from '../../lib/compress/second-moment';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom, viewAs } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import { findOperator } from '../../lib/ops/index';
import { float, type OpCase, uniform } from '../ops/op-case';

/** A node whose second input is constant. */
function graphWith({ op, inputs, attributes }: Pick<OpCase, 'op' | 'inputs' | 'attributes'>): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', inputs[0]!.dims);
  const constants = inputs.slice(1).map((tensor, index) => builder.initializer(tensor!, `w${index + 1}`));
  builder.output(builder.node(op, [x, ...constants], attributes));
  return builder.build();
}

function layerOf(graph: Graph, index = 1): ProductLayer {
  const layer = productLayer(graph, graph.nodes[0], index);
  if (typeof layer === 'string') throw new Error(layer);
  return layer;
}

/** `[row][group][unit]` of rows times weights. */
function product(layer: ProductLayer, rows: Float32Array, weights: Float32Array): number[][][] {
  const { groups, units, columns } = layer;
  const count = rows.length / groups / columns;
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: groups }, (_, group) =>
      Array.from({ length: units }, (_, unit) => {
        let sum = 0;
        for (let column = 0; column < columns; column++)
          sum += rows[(group * count + row) * columns + column] * weights[(group * units + unit) * columns + column];
        return sum;
      }),
    ),
  );
}

const conv = (title: string, x: number[], w: number[], attributes: OpCase['attributes'] = {}) => ({
  op: 'Conv',
  title,
  inputs: [uniform(x), uniform(w, 2)],
  attributes,
});
const transposed = (title: string, x: number[], w: number[], attributes: OpCase['attributes'] = {}) => ({
  ...conv(title, x, w, attributes),
  op: 'ConvTranspose',
});

const CASES = [
  conv('plain', [2, 3, 5, 4], [4, 3, 3, 3]),
  conv('padding and strides', [2, 3, 6, 7], [4, 3, 3, 3], { strides: [2, 3], pads: [1, 0, 2, 1] }),
  conv('dilation', [1, 2, 7, 6], [2, 2, 3, 2], { dilations: [2, 3], pads: [2, 1, 2, 2] }),
  conv('SAME_UPPER', [2, 2, 6, 5], [3, 2, 3, 4], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  conv('groups', [2, 4, 4, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  conv('depthwise', [2, 4, 4, 5], [4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1] }),
  conv('one spatial axis', [2, 3, 8], [4, 3, 3], { strides: [2] }),
  transposed('plain', [2, 3, 3, 4], [3, 2, 3, 2]),
  transposed('strides and pads', [2, 3, 3, 4], [3, 2, 3, 3], { strides: [2, 1], pads: [1, 0, 1, 2] }),
  transposed('groups', [1, 4, 3, 3], [4, 3, 2, 2], { group: 2, strides: [2, 2] }),
  { op: 'Gemm', title: 'plain', inputs: [uniform([3, 4]), uniform([4, 5], 2)], attributes: {} },
  { op: 'Gemm', title: 'transB', inputs: [uniform([3, 4]), uniform([5, 4], 2)], attributes: { transB: 1 } },
  { op: 'MatMul', title: 'matrices', inputs: [uniform([3, 4]), uniform([4, 5], 2)], attributes: {} },
  { op: 'MatMul', title: 'stack', inputs: [uniform([2, 3, 4]), uniform([4, 5], 2)], attributes: {} },
];

/** Elements of a tensor `[N, C, places...]` in the order place by place, channel by channel. */
function channelsLast(data: ArrayLike<number>, dims: readonly number[]): number[] {
  const [batch, channels] = dims;
  const places = data.length / batch / channels;
  const out: number[] = [];
  for (let n = 0; n < batch; n++)
    for (let place = 0; place < places; place++)
      for (let c = 0; c < channels; c++) out.push(data[(n * channels + c) * places + place]);
  return out;
}

describe.each(CASES)('$op $title', (given) => {
  const graph = graphWith(given);
  const layer = layerOf(graph);
  const [x, w] = given.inputs as [Tensor, Tensor];
  const rows = layer.rows(viewAs(x, 'float32'), x.dims);

  test('rows times weights are the outputs', () => {
    const node = graph.nodes[0];
    const [y] = findOperator('', given.op)!.evaluate!([toDense(x, 'float64'), toDense(w, 'float64')], node, 'float64');
    const expected = given.op.startsWith('Conv') ? channelsLast(y.data, y.dims) : Array.from(y.data);
    const found = product(layer, rows, layer.matrix(w)).flat(2);
    expect(found).toHaveLength(expected.length);
    found.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index], 5);
    });
  });

  test('a matrix goes back into the tensor', () => {
    expect(layer.tensor(layer.matrix(w))).toEqual({ ...w, bytes: new Uint8Array(w.bytes) });
  });

  test('chosen rows are those of all rows', () => {
    const { groups, columns } = layer;
    const count = layer.rowsIn(x.dims);
    expect(rows).toHaveLength(groups * count * columns);
    const chosen = layer.rows(viewAs(x, 'float32'), x.dims, Uint32Array.of(count - 1, 0));
    const row = (data: Float32Array, of: number, group: number, at: number) =>
      Array.from(data.subarray((group * of + at) * columns, (group * of + at + 1) * columns));
    for (let group = 0; group < groups; group++) {
      expect(row(chosen, 2, group, 0)).toEqual(row(rows, count, group, count - 1));
      expect(row(chosen, 2, group, 1)).toEqual(row(rows, count, group, 0));
    }
  });

  test('moments are sums over rows', () => {
    const { groups, columns } = layer;
    const count = layer.rowsIn(x.dims);
    const moment = new SecondMoment(layer);
    const power = new ColumnPower(layer);
    moment.observe(viewAs(x, 'float32'), x.dims);
    power.observe(viewAs(x, 'float32'), x.dims);
    expect([moment.rows, power.rows]).toEqual([count, count]);
    for (let g = 0; g < groups; g++)
      for (let i = 0; i < columns; i++)
        for (let j = 0; j < columns; j++) {
          let sum = 0;
          for (let r = 0; r < count; r++)
            sum += rows[(g * count + r) * columns + i] * rows[(g * count + r) * columns + j];
          expect(moment.sums[(g * columns + i) * columns + j]).toBeCloseTo(sum, 5);
          if (i === j) expect(power.sums[g * columns + i]).toBeCloseTo(sum, 5);
        }
  });
});

test('the input weights of a recurrent layer are a product, the others are not', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [5, 2, 3]);
  const [w, r] = [uniform([2, 16, 3]), uniform([2, 16, 4])].map((tensor) => builder.initializer(tensor));
  const attributes = { hidden_size: 4, direction: 'bidirectional' };
  builder.output(builder.node('LSTM', [x, w, r], attributes));
  const graph = builder.build();
  expect(layerOf(graph, 1)).toMatchObject({ groups: 2, units: 16, columns: 3 });
  expect(layerOf(graph, 1).rowsIn([5, 2, 3])).toBe(10);
  expect(productLayer(graph, graph.nodes[0], 2)).toMatch(/hidden state/);
});

test('what is no product says why', () => {
  const reason = (given: Pick<OpCase, 'op' | 'inputs' | 'attributes'>) => {
    const graph = graphWith(given);
    return productLayer(graph, graph.nodes[0]);
  };
  const square = [uniform([3, 3]), uniform([3, 3])];
  expect(reason({ op: 'Gemm', inputs: square, attributes: { transA: 1, alpha: float(2) } })).toMatch(/transA/);
  expect(reason({ op: 'MatMul', inputs: [uniform([2, 3, 3]), uniform([2, 3, 3])] })).toMatch(/stack/);
  expect(reason({ op: 'Add', inputs: square })).toMatch(/no product/);
});

test('rows per sample are limited, by the same choice for the same seed', () => {
  const layer = layerOf(graphWith(CASES[0]));
  const x = uniform([4, 3, 5, 4]);
  const observed = [1, 1, 2].map((seed) => {
    const moment = new SecondMoment(layer, { rowsPerSample: 2, seed });
    moment.observe(viewAs(x, 'float32'), x.dims);
    expect(moment.rows).toBe(8);
    return moment.sums;
  });
  expect(observed[1]).toEqual(observed[0]);
  expect(observed[2]).not.toEqual(observed[0]);
});

test('an input that is not finite is refused by name', () => {
  const layer = layerOf(graphWith(CASES[0]));
  const x = tensorFrom('float32', [1, 3, 5, 4], Array(60).fill(Number.NaN));
  for (const statistic of [new SecondMoment(layer), new ColumnPower(layer)])
    expect(() => statistic.observe(viewAs(x, 'float32'), x.dims)).toThrow(/calibration of x failed/);
});
