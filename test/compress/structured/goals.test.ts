import { countMacs } from '../../../lib/compress/count-macs';
import type { MethodContext } from '../../../lib/compress/method';
import { Budget } from '../../../lib/compress/structured/budget';
import { NEAR } from '../../../lib/compress/structured/choose-units';
import { findDependencies } from '../../../lib/compress/structured/dependencies';
import { pruneStructured } from '../../../lib/compress/structured/prune-structured';
import type { StructuredReport } from '../../../lib/compress/structured/structured-report';
import type { EngineTarget } from '../../../lib/compress/target';
import { parseOptions } from '../../../lib/core/parse-options';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Graph } from '../../../lib/ir/graph';
import { readModelFile } from '../../../lib/onnx/read-model';
import { inferShapes } from '../../../lib/passes/infer-shapes';
import { prepare } from '../../../lib/passes/pipeline';
import { casePath, describeWithCases } from '../../data';
import { random } from '../../ops/draw';
import { BLOCK_NAMES, netOf } from './random-nets';

/** Prunes by the norm of weights: no sample is looked at. */
async function prune(graph: Graph, options: object, target: EngineTarget = { isa: 'avx512vnni' }) {
  const none = datasetFromTensors('none', new Map(graph.inputs.map((name) => [name, random([1, 1], 0, 1, 1)])));
  const context: MethodContext = {
    data: { training: undefined, calibration: none, validation: none },
    evaluate: () => Promise.reject(new Error('nothing is to be evaluated')),
    score: () => Promise.reject(new Error('nothing is to be scored')),
    teacher: graph,
    seed: 1,
    keep: new Set(),
    target,
  };
  const parsed = parseOptions(pruneStructured.options, { criterion: 'l2', reconstruct: false, ...options });
  const { report, ...result } = await pruneStructured.apply(graph, parsed, context);
  return { ...result, report: report as StructuredReport };
}

/** Convolutions 3x3 of these widths one behind the other on `[N, 3, 16, 16]`, and a classifier. */
function chain(...widths: readonly number[]): Graph {
  const builder = new GraphBuilder();
  let value = builder.input('x', 'float32', ['N', 3, 16, 16]);
  widths.forEach((width, index) => {
    const kernel = [width, index === 0 ? 3 : widths[index - 1], 3, 3];
    const weights = builder.initializer(random(kernel, -1, 1, index + 1), 'w');
    const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    value = builder.node('Relu', [builder.node('Conv', [value, weights], window, { name: `conv${index}` })]);
  });
  const mean = builder.node('Flatten', [builder.node('GlobalAveragePool', [value])]);
  const weights = builder.initializer(random([widths[widths.length - 1], 5], -1, 1, 99), 'w');
  builder.output(builder.node('Gemm', [mean, weights]), 'float32', ['N', 5]);
  return inferShapes(builder.build()).graph;
}

const widthsOf = ({ layers }: StructuredReport) => layers.slice(0, -1).map(({ after }) => after);

describe('a share of the MACs', () => {
  const NETS: Readonly<Record<string, Graph>> = {
    'a residual stream': netOf(['residual', 'residual'], 3, 'average'),
    'a shortcut between stages': netOf(['residual', 'shortcut', 'residual'], 4, 'average'),
    'depthwise layers': netOf(['depthwise', 'depthwise'], 5, 'average'),
    'concatenated parts': netOf(['concat', 'plain'], 6, 'flatten'),
    'a layer behind Resize': netOf(['enlarged', 'plain'], 7, 'average'),
    'a bridge over a smaller part': netOf(['bridge', 'plain'], 8, 'average'),
    'wide layers': chain(64, 64, 48),
  };
  const goals = [0.8, 0.6, 0.46].flatMap((macs) => Object.keys(NETS).map((net) => [net, macs] as const));

  test.each(goals)('%s at %f is neither missed nor overshot', async (name, macs) => {
    for (const isa of ['ref', 'avx512vnni', 'neon'] as const) {
      const { graph, report, missed } = await prune(NETS[name], { macs }, { isa });
      const share = countMacs(graph) / countMacs(NETS[name]);
      expect(report.macs.share).toBe(share);
      expect(missed).toBeUndefined();
      expect(report.goal).toEqual({ share: expect.closeTo(macs, 12), reached: true });
      expect(share).toBeLessThanOrEqual(macs);
      expect(share).toBeGreaterThanOrEqual(NEAR * macs);
    }
  });

  test('ends one step short where that step would leave too little, and names it', async () => {
    const { report, missed, diagnostics } = await prune(chain(16, 16), { macs: 0.8, roundTo: 8 });
    const [before, after] = [chain(16, 16), chain(8, 16)].map(countMacs);
    expect(report.macs.share).toBe(1);
    const next = { layers: [expect.any(String)], channels: 8, share: expect.any(Number) };
    expect(report.goal).toEqual({ share: 0.8, reached: false, next });
    expect(report.goal!.next!.share).toBeGreaterThanOrEqual(after / before);
    expect(report.goal!.next!.share).toBeLessThan(NEAR * 0.8);
    expect(missed).toBeUndefined();
    expect(diagnostics).toEqual([
      expect.objectContaining({ kind: 'one-step-short', message: expect.stringContaining('8 channels of conv') }),
    ]);
  });
});

describe('an amount', () => {
  test.each([
    [0.25, 'target', 16, 12],
    [0.25, 'target', 64, 48],
    [0.3, 'target', 10, 7],
    [0.25, 8, 64, 48],
    [0.25, 8, 16, 16],
    [0.4, 8, 16, 8],
  ])('of %f in steps of %s leaves of %i channels %i', async (amount, roundTo, before, after) => {
    const { report, decisions } = await prune(chain(before, before), { amount, roundTo });
    expect(widthsOf(report)).toEqual([after, after]);
    const asked = Math.round(before * (1 - amount));
    expect(report.layers[0]).toMatchObject({ asked, after });
    const rounded = after === before || after === asked ? '' : ` (${asked} asked)`;
    if (after < before) expect(decisions[0].treatment).toBe(`${before} to ${after} channels${rounded}`);
  });
});

describe('the kernels of the target', () => {
  test.each(['avx512vnni', 'avx2', 'neon', 'neon_dotprod', 'neon_i8mm'] as const)(
    '%s: less time than for as many MACs chosen by MACs alone',
    async (isa) => {
      const net = chain(32, 48, 64, 64);
      const [own, other] = [await prune(net, { macs: 0.5 }, { isa }), await prune(net, { macs: 0.5 }, { isa: 'ref' })];
      const timeOf = ({ graph }: { readonly graph: Graph }) => new Budget(graph, { isa }).total().time;
      expect(timeOf(own)).toBeLessThanOrEqual(timeOf(other));
      expect(own.report.modelledTime).toEqual({ isa, measured: false, share: timeOf(own) / timeOf({ graph: net }) });
    },
  );

  // Not so on x86, where 16 depthwise channels share a vector with their neighbours and 15 cannot.
  test.each(['neon', 'neon_dotprod', 'ref'] as const)('%s: fewer channels never take longer', (isa) => {
    for (const net of [
      netOf(['depthwise', 'multiplier', 'residual'], 3, 'average'),
      netOf(BLOCK_NAMES, 1, 'average'),
    ]) {
      const { groups } = findDependencies(net);
      for (const { units } of groups) {
        const budget = new Budget(net, { isa });
        const times = units.slice(0, -1).map((unit) => {
          budget.remove([unit]);
          return budget.total().time;
        });
        const whole = new Budget(net, { isa }).total().time;
        times.forEach((time, index) => {
          expect(time).toBeLessThanOrEqual((times[index - 1] ?? whole) * 1.0001);
        });
      }
    }
  });

  test('whole blocks go where a part of one would save nothing', async () => {
    const { report } = await prune(chain(64, 64), { macs: 0.77, skip: { names: ['conv0'] } });
    expect(widthsOf(report)).toEqual([64, 48]);
  });

  test('measured times count, and layers without one as the others do on average', async () => {
    const net = chain(32, 32, 32);
    const even = new Budget(net, { isa: 'ref' });
    const times = { conv0: 3 * even.expenseOf('conv0').time, conv1: 3 * even.expenseOf('conv1').time };
    const measured = new Budget(net, { isa: 'ref', times });
    expect(measured.total().time).toBeCloseTo(3 * even.total().time, 6);
    const { report } = await prune(net, { macs: 0.7 }, { isa: 'ref', times });
    expect(report.modelledTime.measured).toBe(true);
    const slow = { isa: 'ref', times: { conv1: 1e6 * even.expenseOf('conv1').time, conv0: 1, conv2: 1 } } as const;
    const { report: first } = await prune(net, { macs: 0.9 }, slow);
    expect(first.layers[1].time).toBeLessThan(0.9);
  });
});

describeWithCases('case of kind 13: a goal behind Resize with a free batch', () => {
  test('rs_31_1', async () => {
    const model = prepare(await readModelFile(casePath('rs_31_1.onnx')), { batchNorm: 'keep' }).graph;
    const { report, missed } = await prune(model, { macs: 0.5 });
    expect(missed).toBeUndefined();
    expect(report.macs.share).toBeLessThanOrEqual(0.5);
    expect(report.macs.share).toBeGreaterThanOrEqual(NEAR * 0.5);
  });
});
