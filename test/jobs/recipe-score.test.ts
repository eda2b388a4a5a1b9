import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expectedInputs } from '../../lib/data/fit-input';
import { openDataset } from '../../lib/data/open-dataset';
import type { Evaluate } from '../../lib/ir/graph';
import { openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { requireModel } from '../../lib/jobs/make-plan';
import { openFinishedWith } from '../../lib/jobs/open-finished';
import { createScorer, type ScorerOptions } from '../../lib/jobs/recipe/recipe-score';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { toyFolder } from './toy';

const reference = createReferenceEvaluate();
let folder: string;
beforeAll(() => {
  folder = toyFolder();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await reference.close();
});

async function scorer(data: string, change: Partial<ScorerOptions> = {}) {
  const { graph: float } = requireModel(await openArtifact(join(folder, 'toy.onnx')), 'test');
  const samples = await openDataset(join(folder, data), { inputs: expectedInputs(float) });
  return { float, ...createScorer({ samples, float, openFinished: openFinishedWith(reference.evaluate), ...change }) };
}

test('labels give accuracy: every tenth of them is wrong', async () => {
  const { float, metric, score } = await scorer('test.npz');
  expect(metric).toBe('accuracy');
  expect(await score(float)).toBeCloseTo(0.9, 12);
});

test('without labels a model is compared with the float one', async () => {
  const { float, metric, score } = await scorer('calib.npz');
  expect(metric).toBe('agreement');
  expect(await score(float)).toBe(1);
});

test('a quantized model gets the same score on the engine and in onnxruntime', async () => {
  const model = requireModel(await openArtifact(join(folder, 'toy.onnx')), 'test');
  const { graph } = await compress(model, { data: join(folder, 'calib.npz') });
  let runs = 0;
  const counting: Evaluate = (...args) => {
    runs++;
    return reference.evaluate(...args);
  };
  const native = await scorer('test.npz', { openFinished: openFinishedWith(counting) });
  const onEngine = await native.score(graph);
  expect(runs).toBe(0);
  expect(native.detailOf(graph)?.judgedBy).toEqual({ executor: 'native', reason: null });
  const other = await scorer('test.npz', { openFinished: openFinishedWith(counting, { lacking: () => 'no addon' }) });
  expect(await other.score(graph)).toBe(onEngine);
  expect(runs).toBeGreaterThan(0);
  expect(other.detailOf(graph)?.judgedBy).toEqual({ executor: 'onnxruntime', reason: 'no addon' });
  expect(onEngine).toBeGreaterThan(0.8);
});

test('stops at the signal', async () => {
  const stopped = await scorer('test.npz', { signal: AbortSignal.abort() });
  await expect(stopped.score(stopped.float)).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
});
