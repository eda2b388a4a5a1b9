import { fakeQuantize } from '../../../lib/compress/quantize/fake-quantize';
import { writeQdq } from '../../../lib/compress/quantize/plan';
import { planQuantization } from '../../../lib/compress/quantize/quantize';
import type { PartialQuantizeOptions } from '../../../lib/compress/quantize/quantize-options';
import { Rng } from '../../../lib/core/rng';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom, tensorOf, viewAs } from '../../../lib/ir/tensor';
import { verify } from '../../../lib/ir/verify';
import { toDense } from '../../../lib/ops/dense';
import { bindShapes } from '../../../lib/passes/infer-shapes';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { openReference } from '../../../lib/reference/session';
import { differentiate } from '../../../lib/train/differentiate';
import { evaluateGraph } from '../../ops/evaluate-graph';
import { randomImages, residualNetwork } from './networks';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const planFor = (options: PartialQuantizeOptions) =>
  planQuantization(residualNetwork(), { dataset: randomImages(48), evaluate: reference.evaluate, options });

/** A graph as training may leave it: weights, biases and scales a little moved. */
function disturbed(graph: Graph, names: readonly string[]): Graph {
  const rng = new Rng(8);
  const initializers = new Map(graph.initializers);
  for (const name of names) {
    const tensor = graph.initializers.get(name)!;
    const data = viewAs(tensor, 'float32').map((x) => x * (1 + 0.1 * rng.normal()) + 1e-4 * rng.normal());
    initializers.set(name, tensorOf('float32', tensor.dims, data));
  }
  return { ...graph, initializers };
}

test.each<PartialQuantizeOptions>([
  {},
  { weightBits: 4 },
  { weightBits: 3, scheme: 'affine', activationBits: 4 },
  { weightBits: 4, scheme: 'power-of-two' },
  { weightBits: 4, scheme: 'mean-centred', granularity: 'tensor' },
  { weightBits: 4, granularity: 'group', blockSize: 4 },
  { weightBits: 4, rounding: 'adaround' },
  { mode: 'dynamic-range', weightBits: 5 },
])('the network that is trained computes what the exported one does: %j', async (options) => {
  const { plan } = await planFor(options);
  const fake = fakeQuantize(plan);
  expect(verify(fake.graph)).toEqual([]);
  const moving = [...fake.parameters.keys(), ...fake.steps.map(({ name }) => name)];
  const { values } = fake.graph;
  expect(values.get('probabilities')!.shape).toEqual(['N', 5]);
  for (const trained of [fake.graph, disturbed(fake.graph, moving)]) {
    const { graph, dequantized } = writeQdq(fake.planOf(trained));
    expect(verify(graph)).toEqual([]);
    const compared = [...dequantized.values(), 'probabilities'];
    const found = await allOf(trained, compared);
    const expected = await allOf(graph, compared);
    for (const value of compared) expect(found.get(value)).toEqual(expected.get(value));
  }
});

/** Values of a graph, every node computed as written. */
async function allOf(graph: Graph, names: readonly string[]): Promise<Map<string, Float32Array>> {
  await using session = await openReference(graph, { optimization: 'disabled', alsoFetch: names });
  for await (const { inputs } of randomImages(16, 3, 21).batches({ size: 16 })) {
    const results = await session.run(inputs, names);
    return new Map([...results].map(([name, tensor]) => [name, viewAs(tensor, 'float32')]));
  }
  throw new Error('no images');
}

test('codes chosen by AdaRound are where training starts', async () => {
  const { plan } = await planFor({ weightBits: 3, rounding: 'adaround' });
  const codes = (graph: Graph) => viewAs(graph.initializers.get('conv2_w_quantized')!, 'int8');
  const fake = fakeQuantize(plan);
  expect(codes(writeQdq(fake.planOf(fake.graph)).graph)).toEqual(codes(writeQdq(plan).graph));
});

test('values of a group share one scale, and powers of two are not learned', async () => {
  const { plan } = await planFor({ scheme: 'power-of-two' });
  const { steps, graph } = fakeQuantize(plan);
  expect(steps.map(({ name }) => name)).toEqual(
    ['relu1', 'relu2', 'conv2', 'relu3', 'pooled', 'dense'].map((value) => `${value}_scale`),
  );
  const scales = graph.nodes.filter(({ op }) => op === 'QuantizeLinear').map(({ inputs }) => inputs[1]);
  expect(scales.filter((name) => name === 'pooled_scale')).toHaveLength(2);
});

test('the gradient of a pair is that of learned step sizes', () => {
  const rng = new Rng(2);
  const [scale, zeroPoint, size] = [0.05, 20, 200];
  const x = Array.from({ length: size }, () => rng.normal() * 6);
  const factors = Array.from({ length: size }, () => rng.normal());
  const builder = new GraphBuilder({ name: 'pair' });
  builder.input('x', 'float32', [size]);
  builder.input('s', 'float32', []);
  const zero = builder.initializer(tensorFrom('uint8', [], [zeroPoint]), 'zero');
  const codes = builder.node('QuantizeLinear', ['x', 's', zero]);
  const real = builder.node('DequantizeLinear', [codes, 's', zero], {}, { outputs: ['y'] });
  const weighted = builder.node('Mul', [real, builder.initializer(tensorFrom('float32', [size], factors), 'factors')]);
  builder.output(builder.node('ReduceSum', [weighted], { keepdims: 0 }, { outputs: ['loss'] }), 'float32', []);
  const graph = bindShapes(builder.build(), {});
  const result = differentiate(graph, 'loss', ['x', 's']);
  if (!('graph' in result)) throw new Error(JSON.stringify(result));
  const feeds = new Map([
    ['x', toDense(tensorFrom('float32', [size], x), 'float64')],
    ['s', toDense(tensorFrom('float32', [], [scale]), 'float64')],
  ]);
  const found = evaluateGraph(result.graph, feeds, 'float64');
  const gradientOf = (name: string) => Array.from(found.get(result.gradients.get(name)!)!.data);
  const steps = x.map((value) => Math.fround(value) / Math.fround(scale));
  const [low, high] = [-zeroPoint, 255 - zeroPoint];
  expect(steps.filter((v) => v < low).length).toBeGreaterThan(5);
  expect(steps.filter((v) => v > high).length).toBeGreaterThan(5);
  gradientOf('x').forEach((g, i) => {
    expect(g).toBeCloseTo(steps[i] >= low && steps[i] <= high ? factors[i] : 0, 5);
  });
  const expected = steps.reduce((sum, v, i) => {
    const slope = v < low ? low : v > high ? high : Math.round(v) - v;
    return sum + factors[i] * slope;
  }, 0);
  expect(gradientOf('s')[0]).toBeCloseTo(expected, 1);
});
