import { equalizeLayers } from '../../../lib/compress/quantize/equalize';
import { Rng } from '../../../lib/core/rng';
import type { Graph } from '../../../lib/ir/graph';
import { tensorOf, viewAs } from '../../../lib/ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { imageNetwork, randomTensor } from './networks';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

/** The graph with output channel `c` of every convolution weight scaled by `2^(c % 7 - 3)`: badly balanced. */
function unbalance(graph: Graph): Graph {
  const initializers = new Map(graph.initializers);
  for (const [name, tensor] of graph.initializers) {
    if (!name.endsWith('_w')) continue;
    const perChannel = viewAs(tensor, 'float32').length / tensor.dims[0];
    const scaled = viewAs(tensor, 'float32').map((w, i) => w * 2 ** ((Math.floor(i / perChannel) % 7) - 3));
    initializers.set(name, tensorOf('float32', tensor.dims, scaled));
  }
  return { ...graph, initializers };
}

/** conv -> relu -> depthwise -> leaky relu -> pool -> grouped conv -> relu -> conv. */
function chain(): Graph {
  const net = imageNetwork();
  const first = net.apply('Relu', 'relu1', net.conv('first', 'x', 3, 8));
  const depthwise = net.apply('LeakyRelu', 'leaky', net.conv('depthwise', first, 8, 8, { group: 8, bias: false }));
  const pooled = net.apply('MaxPool', 'pooled', depthwise, { kernel_shape: [2, 2] });
  const grouped = net.apply('Relu', 'relu2', net.conv('grouped', pooled, 8, 12, { group: 2 }));
  return unbalance(net.finish(net.conv('last', grouped, 12, 4)));
}

async function outputOf(graph: Graph): Promise<Float32Array> {
  const feeds = new Map([['x', randomTensor(new Rng(3), [2, 3, 8, 8])]]);
  return viewAs((await reference.evaluate(graph, feeds, graph.outputs)).get(graph.outputs[0])!, 'float32');
}

/** max|w| per output channel (`axis` 0) or per input channel of an ungrouped weight (`axis` 1). */
function ranges(graph: Graph, name: string, axis: 0 | 1): number[] {
  const { dims } = graph.initializers.get(name)!;
  const taps = dims[2] * dims[3];
  const found = new Array<number>(dims[axis]).fill(0);
  viewAs(graph.initializers.get(name)!, 'float32').forEach((w, i) => {
    const channel = axis === 0 ? Math.floor(i / (dims[1] * taps)) : Math.floor(i / taps) % dims[1];
    found[channel] = Math.max(found[channel], Math.abs(w));
  });
  return found;
}

test('finds the pairs, also depthwise and grouped ones', () => {
  expect(equalizeLayers(chain()).pairs).toEqual([
    ['first', 'depthwise'],
    ['depthwise', 'grouped'],
    ['grouped', 'last'],
  ]);
});

test('preserves the function', async () => {
  const graph = chain();
  const [before, after] = [await outputOf(graph), await outputOf(equalizeLayers(graph).graph)];
  const size = before.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  before.forEach((x, i) => {
    expect(Math.abs(after[i] - x)).toBeLessThanOrEqual(size * 2e-6);
  });
});

test('balances transposed convolutions too, also in groups', async () => {
  const net = imageNetwork();
  const rng = new Rng(3);
  const weights = net.initializer(randomTensor(rng, [8, 3, 2, 2]), 'up_w');
  const up = net.node(
    'ConvTranspose',
    [net.conv('first', 'x', 3, 8), weights, net.initializer(randomTensor(rng, [6]), 'up_b')],
    {
      group: 2,
      strides: [2, 2],
    },
    { name: 'up' },
  );
  const graph = net.finish(net.conv('last', net.apply('Relu', 'relu', up), 6, 4));
  const equalized = equalizeLayers(graph);
  expect(equalized.pairs).toEqual([
    ['first', 'up'],
    ['up', 'last'],
  ]);
  const [before, after] = [await outputOf(graph), await outputOf(equalized.graph)];
  const size = before.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (const [i, x] of before.entries()) expect(Math.abs(after[i] - x)).toBeLessThanOrEqual(size * 2e-6);
});

test('makes the ranges of both sides of every channel equal', () => {
  const { graph } = equalizeLayers(chain());
  const [outputs, inputs] = [ranges(graph, 'grouped_w', 0), ranges(graph, 'last_w', 1)];
  outputs.forEach((range, channel) => {
    expect(range / inputs[channel]).toBeCloseTo(1, 2);
  });
  const [first, depthwise] = [ranges(graph, 'first_w', 0), ranges(graph, 'depthwise_w', 0)];
  first.forEach((range, channel) => {
    expect(range / depthwise[channel]).toBeCloseTo(1, 2);
  });
});

test('leaves channels alone that a Clip, a second reader or shared weights tie down', () => {
  const clipped = imageNetwork();
  const sigmoid = clipped.apply('Sigmoid', 'sigmoid', clipped.conv('a', 'x', 3, 4));
  expect(equalizeLayers(clipped.finish(clipped.conv('b', sigmoid, 4, 4))).pairs).toEqual([]);

  const branched = imageNetwork();
  const a = branched.conv('a', 'x', 3, 4);
  expect(equalizeLayers(branched.finish(branched.conv('b', a, 4, 4), branched.conv('c', a, 4, 4))).pairs).toEqual([]);

  const shared = imageNetwork(4);
  shared.conv('a', 'x', 4, 4);
  const again = shared.node('Conv', ['a', 'a_w', 'a_b'], { pads: [1, 1, 1, 1] }, { outputs: ['again'] });
  expect(equalizeLayers(shared.finish(again)).pairs).toEqual([]);
});

test('a channel of zeros keeps its weights', () => {
  const net = imageNetwork();
  const graph = net.finish(net.conv('b', net.conv('a', 'x', 3, 4), 4, 4));
  const dead = viewAs(graph.initializers.get('a_w')!, 'float32').map((w, i) => (i < 27 ? 0 : w));
  const initializers = new Map([...graph.initializers, ['a_w', tensorOf('float32', [4, 3, 3, 3], dead)] as const]);
  const after = equalizeLayers({ ...graph, initializers }).graph;
  const data = viewAs(after.initializers.get('b_w')!, 'float32');
  expect(data.every(Number.isFinite)).toBe(true);
  expect(data[0]).toBe(viewAs(graph.initializers.get('b_w')!, 'float32')[0]);
});
