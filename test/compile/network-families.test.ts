import { compile, diagnose } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { openSession } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { bindShapes } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { readPlan } from '../../lib/plan/reader';
import { optimizedIntegers } from '../compress/quantize/optimized';
import * as images from '../networks/image-networks';
import { bertEncoder, decoder, recurrent, WORDS } from '../networks/sequence-networks';
import { optimizedGraph } from '../optimized-graph';
import { feedOf, HASH, runEngine, runReference } from './run-case';
import { quantized } from './sample-plans';

/** Networks over images, and how many steps of two floats there are on int8. */
const IMAGES: [name: string, make: () => Graph, floatSteps?: number][] = [
  ['MobileNetV1', images.mobileNetV1],
  ['MobileNetV2', images.mobileNetV2],
  ['MobileNetV3-Small', images.mobileNetV3],
  ['EfficientNet-Lite0', images.efficientNetLite],
  ['ResNet-18', () => images.resNet(18)],
  ['ResNet-50', () => images.resNet(50)],
  ['ShuffleNetV2', images.shuffleNetV2],
  ['DenseNet', images.denseNet],
  ['U-Net with transposed convolutions', () => images.uNet('transposed')],
  ['U-Net with interpolation', () => images.uNet('linear')],
  // Boxes out of distances.
  ['YOLOv8', images.yolo, 6],
];

const SEQUENCES: readonly (readonly [name: string, make: () => Graph])[] = [
  ['BERT encoder', bertEncoder],
  ['LSTM of both directions', () => recurrent('LSTM')],
  ['GRU of both directions', () => recurrent('GRU')],
  ['RNN of both directions', () => recurrent('RNN')],
];

/** Difference from onnxruntime, relative to 1 + |value|. */
const TOLERANCE = 1e-4;
/** Least SQNR in dB of int8 against float, and of the engine against onnxruntime on one QDQ graph: a tie that a float sum breaks otherwise spreads. */
const [LEAST_QUALITY, LEAST_AGREEMENT] = [20, 25];

/** Random samples for a graph that takes any number of them. */
function samplesOf(graph: Graph, count: number, seed: number): Map<string, Tensor> {
  const rng = new Rng(seed);
  return new Map(
    graph.inputs.map((name) => {
      const { type, shape } = graph.values.get(name)!;
      const dims = shape!.map((dim) => (typeof dim === 'number' ? dim : count));
      const draw = () => (type === 'int64' ? rng.integer(0, name === 'ids' ? WORDS - 1 : 1) : rng.normal());
      const data = Array.from({ length: elementCount(dims) }, draw);
      return [name, tensorFrom(type as 'int64' | 'float32', dims, data)];
    }),
  );
}

/** Plan of a graph with numeric extents that the engine runs whole. */
function wholePlan(graph: Graph, states?: ReadonlyMap<string, string>): Uint8Array {
  const { graph: prepared, diagnostics } = prepare(graph, { verify: true });
  expect([...diagnostics, ...diagnose(prepared)]).toEqual([]);
  return compile(prepared, { sourceHash: HASH, ...(states ? { states } : {}) }).plan;
}

const operationsOf = (plan: Uint8Array): string[] => readPlan(plan).variants[0].nodes.map(({ op }) => op);

function expectClose(found: ArrayLike<number | bigint>, tensor: Tensor): void {
  const expected = toNumbers(tensor);
  expect(found).toHaveLength(expected.length);
  const wrong = expected.filter(
    (value, i) => !(Math.abs(value - Number(found[i])) <= TOLERANCE * (1 + Math.abs(value))),
  );
  expect(wrong).toEqual([]);
}

/** SQNR in dB of what was found. */
function decibels(expected: Tensor, found: ArrayLike<number>): number {
  const exact = toNumbers(expected);
  expect(found).toHaveLength(exact.length);
  const power = (values: readonly number[]) => values.reduce((total, value) => total + value * value, 0);
  return 10 * Math.log10(power(exact) / power(exact.map((value, i) => value - found[i])));
}

/** Float and int8 on the engine against onnxruntime, which runs every node as written; the operations of the int8 plan. */
async function compare(graph: Graph): Promise<readonly string[]> {
  const feeds = samplesOf(graph, 1, 1);
  const single = bindShapes(graph, { N: 1 });
  const exact = await runReference(single, feeds);
  const float = runEngine(wholePlan(single), feeds, 2);
  for (const [name, tensor] of exact) expectClose(float[name], tensor);

  const samples = datasetFromTensors('random', samplesOf(graph, 4, 2));
  const options = { estimator: 'minmax', biasCorrection: false, floatShare: 0 } as const;
  const qdq = bindShapes(await quantized(graph, samples, options), { N: 1 });
  const plan = wholePlan(qdq);
  const expected = await runReference(qdq, feeds);
  const found = runEngine(plan, feeds, 2);
  for (const [name, tensor] of exact) {
    expect(decibels(tensor, found[name])).toBeGreaterThan(LEAST_QUALITY);
    expect(decibels(expected.get(name)!, found[name])).toBeGreaterThan(LEAST_AGREEMENT);
  }

  // As onnxruntime's optimiser leaves both: fused layers; integer operators, of images with their channels last.
  const fused = runEngine(wholePlan(await optimizedGraph(single, { optimization: 'extended' })), feeds, 2);
  const integer = await optimizedIntegers(qdq);
  const again = runEngine(wholePlan(integer), feeds, 2);
  for (const [name, tensor] of exact) {
    expectClose(fused[name], tensor);
    expect(decibels(expected.get(name)!, again[name])).toBeGreaterThan(LEAST_AGREEMENT);
  }
  return operationsOf(plan);
}

const count = (names: readonly string[], pattern: RegExp): number => names.filter((name) => pattern.test(name)).length;

test.each(IMAGES)('%s in float; on int8 with every layer', async (_, make, floatSteps = 0) => {
  const graph = make();
  const operations = await compare(graph);
  expect(operations.filter((op) => /^(conv|dwconv|fc|matmul|max_pool|average_pool)_f32$/.test(op))).toEqual([]);
  expect(count(operations, /^binary_f32$/)).toBe(floatSteps);
  const layers = graph.nodes.filter(({ op }) => /^(Conv|Gemm)$/.test(op)).length;
  expect(count(operations, /^(conv|dwconv|fc)_s8$/)).toBeGreaterThanOrEqual(layers);
});

test.each(SEQUENCES)('%s in float; on int8 with every product by constants', async (_, make) => {
  const graph = make();
  const operations = await compare(graph);
  const products = graph.nodes.filter(({ op, inputs }) => op === 'MatMul' && graph.initializers.has(inputs[1])).length;
  expect(products).toBeGreaterThan(0);
  expect(count(operations, /^fc_s8$/)).toBe(products);
});

test('a decoder whose cache of keys and values is a state', async () => {
  const { graph, states, cache, places } = decoder();
  using session = openSession(wholePlan(graph, states), { threads: 2 });
  expect(session.inputs.map(({ name }) => name)).toEqual(['id', 'at']);
  const empty = tensorFrom('float32', cache, new Array<number>(elementCount(cache)).fill(0));
  let carried = new Map([...states.keys()].map((name) => [name, empty]));
  let step = new Map<string, Tensor>();
  const run = () =>
    session.run(new Map([...step].map(([name, tensor]) => [name, feedOf(tensor)]))).logits as Float32Array;
  let last: Tensor | undefined;
  for (let place = 0; place < places; place++) {
    step = new Map([
      ['id', tensorFrom('int64', [1, 1], [(7 + 5 * place) % WORDS])],
      ['at', tensorFrom('int64', [1], [place])],
    ]);
    const expected = await runReference(graph, new Map([...step, ...carried]));
    last = expected.get('logits')!;
    expectClose(run(), last);
    carried = new Map([...states].map(([input, output]) => [input, expected.get(output)!]));
  }
  // What it says depends on what it remembers.
  session.reset();
  expect(decibels(last!, run())).toBeLessThan(30);
});
