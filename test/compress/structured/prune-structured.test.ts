import { countMacs } from '../../../lib/compress/count-macs';
import type { MethodContext, MethodResult } from '../../../lib/compress/method';
import { findBranches } from '../../../lib/compress/structured/branches';
import { pruneStructured } from '../../../lib/compress/structured/prune-structured';
import type { StructuredReport } from '../../../lib/compress/structured/structured-report';
import { STRUCTURED_CRITERIA } from '../../../lib/compress/structured/unit-criteria';
import { stepFor } from '../../../lib/compress/structured/unit-queue';
import { parseOptions } from '../../../lib/core/parse-options';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom, viewAs } from '../../../lib/ir/tensor';
import { verify } from '../../../lib/ir/verify';
import { bindShapes, inferShapes } from '../../../lib/passes/infer-shapes';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { reestimateBatchNorm } from '../../../lib/train/reestimate-batch-norm';
import { random } from '../../ops/draw';
import { netOf } from './random-nets';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const NET = netOf(['residual', 'depthwise', 'shortcut'], 3, 'average');

function samples(count: number, labelled: boolean): Dataset {
  const x = random([count, 3, 8, 8], -1, 1, 9);
  const labels = Int32Array.from({ length: count }, (_, index) => index % 5);
  return datasetFromTensors('drawn', new Map([['x', x]]), labelled ? labels : undefined);
}

function contextFor(graph: Graph, change: Partial<MethodContext> = {}): MethodContext {
  const data = { training: samples(64, true), calibration: samples(64, false), validation: samples(16, true) };
  return {
    data,
    evaluate: reference.evaluate,
    score: () => Promise.resolve(1),
    teacher: graph,
    seed: 1,
    keep: new Set(),
    target: { isa: 'ref' },
    ...change,
  };
}

async function prune(
  graph: Graph,
  options: object,
  change: Partial<MethodContext> = {},
): Promise<MethodResult & { report: StructuredReport }> {
  const parsed = parseOptions(pruneStructured.options, options);
  return (await pruneStructured.apply(graph, parsed, contextFor(graph, change))) as MethodResult & {
    report: StructuredReport;
  };
}

async function outputsOf(graph: Graph): Promise<Float32Array> {
  const feeds = new Map([['x', random([32, 3, 8, 8], -1, 1, 4)]]);
  return viewAs((await reference.evaluate(graph, feeds, graph.outputs)).get(graph.outputs[0])!, 'float32');
}

async function errorOf(graph: Graph, other: Graph): Promise<number> {
  const [x, y] = [await outputsOf(graph), await outputsOf(other)];
  const power = x.reduce((sum, value) => sum + value ** 2, 0);
  return x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0) / power;
}

describe('pruneStructured', () => {
  test.each(Object.keys(STRUCTURED_CRITERIA))(
    '%s reaches the share of MACs with a valid, smaller graph',
    async (criterion) => {
      const { graph, report, decisions } = await prune(NET, { criterion, macs: 0.6, roundTo: 2 });
      expect(verify(graph)).toEqual([]);
      expect(countMacs(graph)).toBeLessThanOrEqual(0.6 * countMacs(NET));
      expect(report.goal).toEqual({ share: 0.6, reached: true });
      expect(report.parameters.after).toBeLessThan(report.parameters.before);
      expect(decisions.map(({ layer }) => layer)).toEqual(report.layers.map(({ name }) => name));
      expect(decisions.some(({ damage }) => damage !== undefined && damage > 0)).toBe(true);
      expect((await outputsOf(graph)).every(Number.isFinite)).toBe(true);
    },
  );

  test('the same seed gives the same bytes', async () => {
    const [first, second] = [await prune(NET, { criterion: 'random' }), await prune(NET, { criterion: 'random' })];
    expect(second.graph).toEqual(first.graph);
  });

  test('an amount takes about that share of every layer, in steps of a multiple', async () => {
    const { report } = await prune(NET, { amount: 0.5, roundTo: 2, reconstruct: false });
    for (const { before, after } of report.layers.slice(0, -1)) expect(after / before).toBeCloseTo(0.5, 0);
    expect(report.goal).toBeUndefined();
  });

  test('rounds end where one round ends', async () => {
    const { report } = await prune(NET, {
      macs: 0.5,
      rounds: 3,
      roundTo: 1,
      training: { epochs: 1, batchSize: 32 },
      tune: 'rounds',
    });
    expect(report.macs.share).toBeLessThanOrEqual(0.5);
    expect(report.macs.share).toBeGreaterThan(0.35);
  });

  test('reconstruction without labels keeps the outputs nearer', async () => {
    const options = { macs: 0.6, roundTo: 2 };
    // Drawn statistics of batch norm belong to no samples: those of a trained network do.
    const net = await reestimateBatchNorm(
      NET,
      samples(64, false),
      { batchSize: 64, batches: 1, seed: 1 },
      reference.evaluate,
    );
    const [plain, fitted] = [await prune(net, { ...options, reconstruct: false }), await prune(net, options)];
    expect(await errorOf(net, fitted.graph)).toBeLessThan(0.5 * (await errorOf(net, plain.graph)));
  });

  test.each(['l2', 'output-error'])(
    'reconstruction is exact where a channel repeats another one (%s)',
    async (criterion) => {
      const twin = duplicateChannel(netOf(['concat'], 5, 'flatten'));
      const { graph } = await prune(twin, { criterion, amounts: { conv: 0.125 }, macs: 1, roundTo: 1, samples: 64 });
      expect(countMacs(graph)).toBeLessThan(countMacs(twin));
      expect(await errorOf(twin, graph)).toBeLessThan(1e-3);
    },
  );

  test('layers to keep and to skip keep their channels; what feeds a kept node stays too', async () => {
    const conv = NET.nodes.filter(({ op }) => op === 'Conv').map(({ name }) => name);
    const kept = await prune(NET, { macs: 0.5 }, { keep: new Set([conv[1]]) });
    const after = (name: string) =>
      kept.graph.initializers.get(kept.graph.nodes.find((node) => node.name === name)!.inputs[1])!.dims;
    expect(after(conv[1])).toEqual(
      NET.initializers.get(NET.nodes.find(({ name }) => name === conv[1])!.inputs[1])!.dims,
    );
    const skipped = await prune(NET, { macs: 0.7, skip: { names: [conv[0]] } });
    expect(skipped.decisions.find(({ layer }) => layer === conv[0])).toMatchObject({
      treatment: 'left alone',
      reason: `skipped by name '${conv[0]}'`,
    });
  });

  test('a goal out of reach gives the best that could be reached, and says so', async () => {
    const { report, graph, missed } = await prune(NET, { macs: 0.01, reconstruct: false });
    expect(report.goal).toEqual({ share: 0.01, reached: false });
    expect(missed).toMatch(/^a share of 0\.01 of the MACs is out of reach, 0\.\d+ is left$/);
    expect(countMacs(graph)).toBe(report.macs.after);
    for (const { before, after } of report.layers) expect(after).toBeGreaterThanOrEqual(Math.ceil(before * (1 - 0.7)));
  });

  test('measured times decide where channels go', async () => {
    const [first, second] = NET.nodes.filter(({ op }) => op === 'Conv').map(({ name }) => name);
    const layers = async (slow: string, quick: string) => {
      const target = { isa: 'ref', times: { [slow]: 1000, [quick]: 1 } } as const;
      return (await prune(NET, { macs: 0.7, reconstruct: false, roundTo: 1 }, { target })).report.layers;
    };
    expect(await layers(first, second)).not.toEqual(await layers(second, first));
  });

  test('removes the branches that matter least', async () => {
    const net = netOf(['residual', 'residual', 'residual'], 2, 'average');
    expect(findBranches(net)).toHaveLength(3);
    const { graph, report, decisions, missed } = await prune(net, { branches: 2, macs: 1 });
    expect(missed).toBeUndefined();
    expect(report.branches).toHaveLength(2);
    expect(findBranches(graph)).toHaveLength(1);
    expect(decisions.filter(({ treatment }) => treatment === 'removed')).toHaveLength(4);
    expect(report.macs.share).toBeLessThan(1);
    expect((await prune(net, { branches: 9, macs: 1 })).missed).toBe('9 residual branches were to go, 3 can');
  });

  test.each([
    ['an unknown layer', { amounts: { convv: 0.5 } }, 'E_OPTION_VALUE'],
    ['a layer that cannot be pruned', { amounts: { matmul: 0.5 } }, 'E_OPTION_VALUE'],
    ['two goals', { amount: 0.5, macs: 0.5 }, 'E_OPTION_VALUE'],
    ['a share above 1', { macs: 1.5 }, 'E_OPTION_VALUE'],
    ['a misspelled key', { criterium: 'l1' }, 'E_OPTION_UNKNOWN'],
  ])('%s is refused', async (_, options, code) => {
    await expect((async () => prune(NET, options))()).rejects.toMatchObject({ code });
  });

  test('says why a layer cannot be pruned', async () => {
    await expect(prune(NET, { amounts: { matmul: 0.5 } })).rejects.toThrow(/it reaches the graph output/);
  });

  test('taylor takes the classes that the float model names where there are no labels', async () => {
    const data = { training: undefined, calibration: samples(32, false), validation: samples(8, false) };
    expect((await prune(NET, { criterion: 'taylor' }, { data })).report.goal?.reached).toBe(true);
  });

  // 30 samples fill no batch of 32, nor a whole number of batches of 4.
  test.each([
    ['with labels', true],
    ['without', false],
  ])('taylor chooses %s as in the free form what a fixed batch is measured on', async (_, labelled) => {
    const data = { training: samples(30, labelled), calibration: samples(30, false), validation: samples(8, false) };
    const fixed = inferShapes(bindShapes(NET, { N: 4 })).graph;
    const options = { criterion: 'taylor', macs: 0.6, reconstruct: false };
    const [bound, free] = [await prune(fixed, options, { data }), await prune(NET, options, { data })];
    expect(bound.report.layers).toEqual(free.report.layers);
    for (const [name, tensor] of free.graph.initializers) expect(bound.graph.initializers.get(name)).toEqual(tensor);
  });

  test('quantized graphs are refused', async () => {
    const [node] = NET.nodes;
    const quantized = { ...NET, nodes: [{ ...node, op: 'DequantizeLinear' }, ...NET.nodes.slice(1)] };
    await expect(prune(quantized, {})).rejects.toMatchObject({ code: 'E_GRAPH_INVALID' });
  });

  test('steps are at most half of a layer', () => {
    expect([64, 32, 16, 12, 3, 1].map((extent) => stepFor(extent, 16))).toEqual([16, 16, 8, 4, 1, 1]);
    expect(stepFor(10, 1)).toBe(1);
  });
});

/** The graph whose first convolution makes its last channel a second time, as its first channel. */
function duplicateChannel(graph: Graph): Graph {
  const conv = graph.nodes.find(({ op }) => op === 'Conv')!;
  const initializers = new Map(graph.initializers);
  for (const name of conv.inputs.slice(1)) {
    const tensor = initializers.get(name)!;
    const data = Array.from(viewAs(tensor, 'float32'));
    const size = data.length / tensor.dims[0];
    // A quarter of the size: the least of all channels, so it is the one that goes.
    for (let i = 0; i < size; i++) data[i] = 0.25 * data[data.length - size + i];
    initializers.set(name, tensorFrom('float32', tensor.dims, data));
  }
  return { ...graph, initializers };
}
