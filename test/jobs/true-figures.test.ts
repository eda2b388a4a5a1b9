import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartialQuantizeOptions } from '../../lib/compress/quantize/quantize-options';
import type { QuantizeReport } from '../../lib/compress/quantize/report';
import { writeNpz } from '../../lib/data/npz';
import type { Graph } from '../../lib/ir/graph';
import { toNumbers } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { evaluateArtifact } from '../../lib/jobs/evaluate';
import type { ExecutorName } from '../../lib/jobs/executor';
import { requireModel } from '../../lib/jobs/make-plan';
import { writeModel } from '../../lib/onnx/write-model';
import { openReference } from '../../lib/reference/session';
import { addNoise, sqnrDb } from '../../lib/telemetry/statistics';
import { casePath, dataPath, describeWithCases, describeWithData } from '../data';
import { type FragileNetwork, MASKED, SATURATING, UNFUSABLE } from './fragile-networks';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-figures-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Files {
  readonly model: string;
  readonly data: string;
}

/** A network and its samples as files. */
function write({ graph, samples }: FragileNetwork): Files {
  const files = { model: join(folder, 'float.onnx'), data: join(folder, 'samples.npz') };
  writeFileSync(files.model, writeModel(graph));
  writeFileSync(files.data, writeNpz(new Map([['x', samples]])));
  return files;
}

interface Compressed {
  readonly path: string;
  readonly graph: Graph;
  readonly report: QuantizeReport;
}

async function compressed({ model, data }: Files, quantize: PartialQuantizeOptions = {}): Promise<Compressed> {
  const path = join(folder, 'int8.onnx');
  const float = requireModel(await openArtifact(model), 'compress');
  const { graph, report } = await compress(float, { data, quantize });
  writeFileSync(path, writeModel(graph));
  return { path, graph, report };
}

/** What `eval` says of a file. */
async function sqnrOf(path: string, { model, data }: Files, executor: ExecutorName = 'native'): Promise<number> {
  const found = await evaluateArtifact(await openArtifact(path), { data, float: model, executor });
  return found.sqnrDb!;
}

const REPAIRS = {
  'bias correction': { biasCorrection: true },
  AdaRound: { rounding: 'adaround' },
} satisfies Record<string, PartialQuantizeOptions>;
const ALL = ['bias correction', 'AdaRound'] as const;

/** The figure of compress is that of eval, and repairs that are fitted on the quantized network do no harm. */
async function expectTrueFigures(files: Files, repairs: readonly (keyof typeof REPAIRS)[]): Promise<void> {
  const plain = await compressed(files);
  const native = await sqnrOf(plain.path, files);
  expect(plain.report.judgedBy).toEqual({ executor: 'native', reason: null });
  expect(Math.abs(plain.report.outputs[0].sqnrDb - native)).toBeLessThan(0.01);
  expect(Math.abs((await sqnrOf(plain.path, files, 'onnxruntime')) - native)).toBeLessThan(0.5);
  for (const name of repairs) {
    const repaired = await compressed(files, REPAIRS[name]);
    const found = await sqnrOf(repaired.path, files);
    expect({ name, error: Math.abs(repaired.report.outputs[0].sqnrDb - found) < 0.01 }).toEqual({ name, error: true });
    expect({ name, worse: Math.max(0, native - found) > 0.3 }).toEqual({ name, worse: false });
  }
}

describe('products that saturate without 8-bit dot products: compress and eval tell the same', () => {
  test.each(Object.entries(SATURATING))('%s', async (_, make) => {
    await expectTrueFigures(write(make()), ALL);
  });
});

describeWithCases('cases whose figures were wrong on such machines', () => {
  test.each([
    ['saturate', 39],
    ['tied_gemm', 34],
    ['zero_weights2', 48],
  ])('%s: at least %d dB', async (name, leastDb) => {
    const files = { model: casePath(`${name}.onnx`), data: casePath(`${name}.npz`) };
    const { report } = await compressed(files);
    expect(report.outputs[0].sqnrDb).toBeGreaterThan(leastDb);
    await expectTrueFigures(files, ALL);
  });
});

describeWithData('a real network on such machines', () => {
  test('dscnn', async () => {
    const files = { model: dataPath('models/dscnn_kws_mlperftiny.onnx'), data: dataPath('npz/kws_calib100.npz') };
    // AdaRound of all its layers takes long.
    await expectTrueFigures(files, ['bias correction']);
  });
});

/** SQNR of the first output in the form that everything runs in, against every node as written. */
async function formsAgree({ graph }: Compressed, samples: FragileNetwork['samples']): Promise<number> {
  const feeds = new Map([['x', samples]]);
  const outputs = [];
  for (const optimization of ['disabled', 'all'] as const) {
    await using session = await openReference(graph, { optimization });
    outputs.push(toNumbers((await session.run(feeds)).get(graph.outputs[0])!));
  }
  return sqnrDb(addNoise({ signal: 0, noise: 0 }, outputs[0], outputs[1]));
}

describe('networks whose quantized form onnxruntime cannot fuse are compressed', () => {
  test.each(Object.entries(UNFUSABLE))('%s', async (_, make) => {
    const network = make();
    const files = write(network);
    const result = await compressed(files);
    const [{ sqnrDb: found }] = result.report.outputs;
    expect(found).toBeGreaterThan(25);
    expect(result.report.judgedBy.executor === 'native').toBe(result.report.judgedBy.reason === null);
    expect(await formsAgree(result, network.samples)).toBeGreaterThan(45);
    expect(Math.abs((await sqnrOf(result.path, files, result.report.judgedBy.executor)) - found)).toBeLessThan(0.01);
  });

  test.each(Object.entries(MASKED))('%s', async (_, make) => {
    const files = write(make());
    const { path, report } = await compressed(files);
    const found = await sqnrOf(path, files, report.judgedBy.executor);
    expect(Math.abs(report.outputs[0].sqnrDb - found)).toBeLessThan(0.01);
  });
});

describeWithCases('cases that onnxruntime could not fuse', () => {
  test.each([
    ['s_add_mask', undefined],
    ['resize18_keep', 40],
    ['resize11_cubic', 34],
    ['matmul3d', 35],
    ['averagepool20-dilations', 30],
  ])('%s', async (name, leastDb) => {
    const data = casePath(name === 'averagepool20-dilations' ? 'x-avgpool.npz' : `${name}.npz`);
    const { graph, report } = await compressed({ model: casePath(`${name}.onnx`), data });
    expect(graph.nodes.some(({ op }) => op === 'QuantizeLinear')).toBe(true);
    if (leastDb !== undefined) expect(report.outputs[0].sqnrDb).toBeGreaterThan(leastDb);
  });
});
