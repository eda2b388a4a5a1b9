import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeCpu } from '../../lib/engine/session';
import { viewAs } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { bench } from '../../lib/jobs/bench';
import { compress } from '../../lib/jobs/compress';
import { type EvaluateOptions, type Evaluation, evaluateArtifact } from '../../lib/jobs/evaluate';
import { makePlan, requireModel } from '../../lib/jobs/make-plan';
import { runOnce } from '../../lib/jobs/run';
import { Scorer } from '../../lib/jobs/score';
import { writeModel } from '../../lib/onnx/write-model';
import { npzOf, TEST_LABELS, TEST_SAMPLES, toyFolder, toyGraph, toyLogits, toySamples } from './toy';

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = toyFolder();
  const float = requireModel(await openArtifact(path('toy.onnx')), 'test');
  const { graph } = await compress(float, { data: path('calib.npz') });
  writeFileSync(path('q.onnx'), writeModel(graph));
  const quantized = await openArtifact(path('q.onnx'));
  writeFileSync(path('q.plan'), (await makePlan(quantized)).plan);
  writeFileSync(path('unlabelled.npz'), npzOf(TEST_SAMPLES));
  writeFileSync(path('lonely.onnx'), writeModel({ ...graph, metadata: new Map() }));
  writeFileSync(path('other.onnx'), writeModel(toyGraph(new Array(128).fill(0))));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function judge(name: string, options: Partial<EvaluateOptions> = {}): Promise<Evaluation> {
  return evaluateArtifact(await openArtifact(path(name)), { data: path('test.npz'), ...options });
}

describe('evaluation', () => {
  test('a float model agrees with itself; every tenth label is wrong', async () => {
    const found = await judge('toy.onnx');
    expect(found).toMatchObject({ samples: 60, executor: 'native', accuracy: 0.9, floatAccuracy: 0.9, agreement: 1 });
    expect(found).toMatchObject({ drop: 0, dropStandardError: 0, float: path('toy.onnx') });
    expect(found.accuracyInterval95![0]).toBeCloseTo(0.7985, 3);
    expect(found.accuracyInterval95![1]).toBeCloseTo(0.9534, 3);
    expect(found.sqnrDb).toBeGreaterThan(120);
    expect(found.reasons).toEqual({});
  });

  test('a quantized model and its plan give the same numbers, and they are right', async () => {
    const [model, plan] = [await judge('q.onnx'), await judge('q.plan')];
    expect(plan).toEqual(model);
    expect(model.float).toBe(path('toy.onnx'));
    expect(model.reasons).toEqual({});
    // Outputs of the engine, sample by sample, against the float64 network.
    let [signal, noise, agreeing, hits] = [0, 0, 0, 0];
    const artifact = await openArtifact(path('q.plan'));
    const best = (values: readonly number[]) => values.indexOf(Math.max(...values));
    for (const [sample, x] of TEST_SAMPLES.entries()) {
      const { outputs } = await runOnce(artifact, { input: path('test.npz'), sample });
      const found = Array.from(viewAs(outputs.get('logits')!, 'float32'));
      const expected = toyLogits(x);
      for (const [i, value] of expected.entries()) {
        signal += value ** 2;
        noise += (value - found[i]) ** 2;
      }
      agreeing += Number(best(found) === best(expected));
      hits += Number(best(found) === TEST_LABELS[sample]);
    }
    expect(model.sqnrDb).toBeCloseTo(10 * Math.log10(signal / noise), 2);
    expect(model.sqnrDb).toBeGreaterThan(20);
    expect(model.agreement).toBeCloseTo(agreeing / 60, 12);
    expect(model.accuracy).toBeCloseTo(hits / 60, 12);
    expect(model.drop).toBeCloseTo(0.9 - hits / 60, 12);
  });

  test('onnxruntime runs a quantized model with the same answer', async () => {
    expect(await judge('q.onnx', { executor: 'onnxruntime' })).toMatchObject({
      executor: 'onnxruntime',
      accuracy: (await judge('q.onnx')).accuracy,
    });
    await expect(judge('q.plan', { executor: 'onnxruntime' })).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
  });

  test('a float model is compressed first when calibration samples are given', async () => {
    const { sqnrDb } = await judge('toy.onnx', { calibration: path('calib.npz') });
    expect(sqnrDb).toBeCloseTo((await judge('q.onnx')).sqnrDb!, 9);
  });

  test('what cannot be told is null with the reason', async () => {
    const lonely = await judge('lonely.onnx', { data: path('unlabelled.npz') });
    const names = [
      'accuracy',
      'accuracyInterval95',
      'floatAccuracy',
      'drop',
      'dropStandardError',
      'agreement',
      'sqnrDb',
      'agreementInterval95',
      'relativeError',
      'relativeErrorInterval95',
    ];
    for (const name of names) expect(lonely[name as 'accuracy']).toBeNull();
    expect(Object.keys(lonely.reasons).sort()).toEqual([...names].sort());
    expect(lonely.reasons.accuracy).toBe('the data has no labels');
    expect(lonely.reasons.agreement).toMatch(/does not say/);
    expect(lonely.float).toBeNull();
    const compared = await judge('lonely.onnx', { data: path('unlabelled.npz'), float: path('toy.onnx') });
    expect(compared).toMatchObject({ accuracy: null, drop: null, agreement: expect.any(Number) });
    expect(Object.keys(compared.reasons).sort()).toEqual(names.slice(0, 5).sort());
  });

  test('another float model can be named; one with other outputs is refused', async () => {
    const { agreement } = await judge('q.onnx', { float: path('other.onnx') });
    expect(agreement).toBeLessThan(0.9);
    const { graph } = requireModel(await openArtifact(path('toy.onnx')), 'test');
    writeFileSync(path('hidden.onnx'), writeModel({ ...graph, outputs: ['hidden'] }));
    await expect(judge('q.onnx', { float: path('hidden.onnx') })).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
  });

  test('stops at the signal and says how far it was; tells progress', async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const running = judge('q.plan', {
      signal: stop.signal,
      onProgress: (done, total) => {
        seen.push(done);
        expect(total).toBe(60);
        if (done === 7) stop.abort();
      },
    });
    await expect(running).rejects.toMatchObject({
      code: 'E_INTERRUPTED',
      details: { what: expect.stringMatching(/7 of 60/) },
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('a native run without a reference still hears events', async () => {
    writeFileSync(path('many.npz'), npzOf(toySamples(20000, 3)));
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const running = judge('lonely.onnx', { data: path('many.npz'), signal: stop.signal });
    await expect(running).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });
});

test('a score of known outputs', () => {
  const scorer = new Scorer({ kind: 'classes' }, true, undefined);
  const add = (found: number[], float: number[], label: number) =>
    scorer.add({ found: [{ values: found, dims: [1, 2] }], float: [{ values: float, dims: [1, 2] }], label });
  add([1, 0], [1, 0], 0);
  add([0, 1], [3, 0], 0);
  add([0, 1], [0, 1], 0);
  add([5, 5], [0, 1], 1);
  const score = scorer.score();
  expect(score).toMatchObject({ accuracy: 0.25, floatAccuracy: 0.75, drop: 0.5, agreement: 0.5, reasons: {} });
  // Differences 0, 1, 0, 1: variance 1/4 over 4 samples.
  expect(score.dropStandardError).toBeCloseTo(0.25, 12);
  expect(score.sqnrDb).toBeCloseTo(10 * Math.log10(12 / (9 + 1 + 25 + 16)), 9);
  expect(score.agreementInterval95![0]).toBeCloseTo(0.15, 3);
});

describe('onnxruntime on a machine that saturates', () => {
  test.each([
    ['q.onnx', 'onnxruntime', true],
    ['q.onnx', 'onnxruntime', false],
    ['q.onnx', 'native', null],
    ['toy.onnx', 'onnxruntime', null],
  ] as const)('%s, %s: %s', async (name, executor, expected) => {
    let asked = 0;
    const saturates = async () => {
      asked++;
      return expected === true;
    };
    const found = await judge(name, { executor, saturates });
    expect(found.saturatingHost).toBe(expected);
    expect(asked).toBe(expected === null ? 0 : 1);
  });

  test('its numbers are those of the engine all the same', async () => {
    const [native, other] = [await judge('q.onnx'), await judge('q.onnx', { executor: 'onnxruntime' })];
    expect(other.accuracy).toBe(native.accuracy);
    expect(Math.abs(other.sqnrDb! - native.sqnrDb!)).toBeLessThan(0.5);
  });
});

describe('bench', () => {
  test('times both executors in the same run', async () => {
    const found = await bench(await openArtifact(path('q.onnx')), { pairs: 30 });
    const instructionSets = describeCpu(process.env.HONE_CPU);
    expect(found).toMatchObject({ pairs: 30, threads: 1, instructionSets, reasons: {} });
    for (const { p50Us, p90Us, p99Us } of [found.native!, found.onnxruntime!]) {
      expect(p50Us).toBeGreaterThan(0);
      expect(p90Us).toBeGreaterThanOrEqual(p50Us);
      expect(p99Us).toBeGreaterThanOrEqual(p90Us);
    }
    expect(found.ratio).toBeGreaterThan(0);
  });

  test('one of them alone, with the reason for the other', async () => {
    expect(await bench(await openArtifact(path('q.plan')), { pairs: 3 })).toMatchObject({
      onnxruntime: null,
      ratio: null,
      reasons: { onnxruntime: expect.stringContaining('plan') },
    });
    expect(await bench(await openArtifact(path('q.onnx')), { pairs: 3, executor: 'onnxruntime' })).toMatchObject({
      native: null,
      ratio: null,
      reasons: { native: expect.any(String) },
    });
  });

  test('stops at the signal', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const running = bench(await openArtifact(path('q.plan')), { pairs: 1e7, signal: stop.signal });
    await expect(running).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });
});
