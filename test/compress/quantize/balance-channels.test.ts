import { type QuantizeContext, quantize } from '../../../lib/compress/quantize/quantize';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom, tensorOf, viewAs } from '../../../lib/ir/tensor';
import { verify } from '../../../lib/ir/verify';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { imageNetwork, type NetworkBuilder, randomImages, randomTensor, residualNetwork } from './networks';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const run = (graph: Graph, options: QuantizeContext['options'], dataset = randomImages(64)) =>
  quantize(graph, { dataset, evaluate: reference.evaluate, options: { floatShare: 0, ...options } });

/** Factors of 8 channels from 1 to 1/30. */
const LOUDNESS = Array.from({ length: 8 }, (_, channel) => 2 ** (-0.7 * channel));

/** The graph with weights and bias of `maker` times LOUDNESS by output channel, and weights of `reader` over it by input channel. */
function unlike(graph: Graph, maker: string | undefined, reader: string, change = (factor: number) => factor): Graph {
  const initializers = new Map(graph.initializers);
  const scale = (name: string, by: (index: number, dims: readonly number[]) => number) => {
    const { dims } = initializers.get(name)!;
    const data = viewAs(initializers.get(name)!, 'float32').map((x, index) => x * by(index, dims));
    initializers.set(name, tensorOf('float32', dims, data));
  };
  if (maker) {
    scale(`${maker}_w`, (index, [, perGroup]) => LOUDNESS[Math.floor(index / (9 * perGroup)) % 8]);
    scale(`${maker}_b`, (index) => LOUDNESS[index]);
  }
  scale(`${reader}_w`, (index) => 1 / change(LOUDNESS[Math.floor(index / 9) % 8]));
  return { ...graph, initializers };
}

const networks: Record<string, () => Graph> = {
  'two layers with a Relu between': () => {
    const net = imageNetwork();
    const relu = net.apply('Relu', 'relu', net.conv('first', 'x', 3, 8));
    return unlike(net.finish(net.conv('second', relu, 8, 4)), 'first', 'second');
  },
  'a pool on the way': () => {
    const net = imageNetwork();
    const pooled = net.apply('MaxPool', 'pooled', net.conv('first', 'x', 3, 8), { kernel_shape: [2, 2] });
    return unlike(net.finish(net.conv('second', pooled, 8, 4)), 'first', 'second');
  },
  'a value that float arithmetic makes': () => {
    const net = imageNetwork();
    return unlike(net.finish(net.conv('second', powers(net), 8, 4)), undefined, 'second', (factor) => factor ** 1.5);
  },
  'a value that float arithmetic reads': () => {
    const net = imageNetwork();
    const first = net.conv('first', 'x', 3, 8);
    const loudness = net.initializer(tensorFrom('float32', [1, 8, 1, 1], LOUDNESS), 'loudness');
    const level = net.apply('Sin', 'level', net.node('Div', [first, loudness], {}, { outputs: ['quotient'] }));
    return unlike(net.finish(net.conv('second', level, 8, 4)), 'first', 'second', () => 1);
  },
};

/** Powers of 8 channels, from loud to quiet. */
function powers(net: NetworkBuilder): string {
  const loudness = net.initializer(tensorFrom('float32', [1, 8, 1, 1], LOUDNESS), 'loudness');
  const scaled = net.node('Mul', [net.conv('first', 'x', 3, 8), loudness], {}, { outputs: ['scaled'] });
  return net.node(
    'Pow',
    [net.apply('Abs', 'level', scaled), net.initializer(tensorFrom('float32', [], [1.5]), 'exponent')],
    {},
    { outputs: ['power'] },
  );
}

test.each(Object.keys(networks))('gives quiet channels codes too: %s', async (name) => {
  const float = networks[name]();
  const [plain, balanced] = [await run(float, { balanceChannels: false }), await run(float, {})];
  expect(verify(balanced.graph)).toEqual([]);
  expect(plain.report.balanced).toEqual([]);
  expect(balanced.report.balanced.length).toBeGreaterThan(0);
  expect(balanced.report.outputs[0].sqnrDb).toBeGreaterThan(plain.report.outputs[0].sqnrDb + 6);
  // On samples that neither has seen.
  const feeds = new Map([['x', randomTensor(new Rng(77), [16, 3, 8, 8])]]);
  const [a, b, c] = await Promise.all(
    [float, balanced.graph, plain.graph].map(async (graph) =>
      viewAs((await reference.evaluate(graph, feeds, graph.outputs)).get(graph.outputs[0])!, 'float32'),
    ),
  );
  const noise = (found: Float32Array) => found.reduce((sum, x, at) => sum + (x - a[at]) ** 2, 0);
  expect(noise(b)).toBeLessThan(noise(c) / 4);
});

test('leaves a network alone whose outputs do not gain', async () => {
  const float = residualNetwork();
  const [plain, tried] = [await run(float, { balanceChannels: false }), await run(float, {})];
  expect(tried.report.balanced).toEqual([]);
  expect(tried.graph.nodes).toEqual(plain.graph.nodes);
});

test('values of which a clamp cuts the channels stay as they are', async () => {
  const net = imageNetwork();
  const bounds = [0, 6].map((bound) => net.initializer(tensorFrom('float32', [], [bound]), `bound${bound}`));
  const clipped = net.node('Clip', [net.conv('first', 'x', 3, 8), ...bounds], {}, { outputs: ['clipped'] });
  const float = unlike(net.finish(net.conv('second', clipped, 8, 4)), 'first', 'second');
  expect((await run(float, {})).report.balanced).toEqual([]);
});

test('a channel that is always zero does no harm', async () => {
  const float = networks['two layers with a Relu between']();
  const bias = viewAs(float.initializers.get('first_b')!, 'float32').map((x, at) => (at === 3 ? -1e3 : x));
  const graph = {
    ...float,
    initializers: new Map([...float.initializers, ['first_b', tensorOf('float32', [8], bias)] as const]),
  };
  const { report } = await run(
    graph,
    {},
    datasetFromTensors('x', new Map([['x', randomTensor(new Rng(5), [64, 3, 8, 8])]])),
  );
  expect(report.balanced).toEqual(['relu']);
  expect(report.outputs[0].sqnrDb).toBeGreaterThan(30);
});
