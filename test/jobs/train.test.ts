import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoneError } from '../../lib/core/error';
import { Rng } from '../../lib/core/rng';
import { writeNpz } from '../../lib/data/npz';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dataset } from '../../lib/ir/dataset';
import { tensorOf } from '../../lib/ir/tensor';
import { type ModelArtifact, openArtifact } from '../../lib/jobs/artifact';
import { stepsBetweenCheckpoints, type TrainModelOptions, type TrainReport, trainModel } from '../../lib/jobs/train';
import { writeModel } from '../../lib/onnx/write-model';
import { start } from '../cli/hone';
import { buildNormalized, buildSmall, clusters } from '../train/small-network';

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hone-train-'));
  writeFileSync(path('small.onnx'), writeModel(buildSmall()));
  writeFileSync(path('normalized.onnx'), writeModel(buildNormalized()));
  writeFileSync(path('train.npz'), await npzOf(clusters(160)));
  writeFileSync(path('val.npz'), await npzOf(clusters(200).select(Array.from({ length: 40 }, (_, i) => 160 + i))));
  writeFileSync(path('bare.npz'), await npzOf(clusters(40), false));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function npzOf(dataset: Dataset, labelled = true): Promise<Uint8Array> {
  for await (const { inputs, labels, count } of dataset.batches({ size: dataset.count }))
    return writeNpz(
      new Map([
        ...inputs,
        ...(labelled ? [['labels', tensorOf('int32', [count], Int32Array.from(labels!))] as const] : []),
      ]),
    );
  throw new Error('no samples');
}

const SETTINGS: TrainModelOptions['settings'] = {
  epochs: 4,
  batchSize: 16,
  learningRate: 0.05,
  schedule: 'cosine',
  optimizer: 'sgd',
  weightDecay: 1e-4,
  labelSmoothing: 0,
  clipShare: 0.2,
  augment: {},
  seed: 3,
};

async function run(model: string, target: string, options: Partial<TrainModelOptions> = {}): Promise<TrainReport> {
  const artifact = (await openArtifact(path(model))) as ModelArtifact;
  const base = { data: path('train.npz'), validation: path('val.npz'), target: path(target), settings: SETTINGS };
  return trainModel(artifact, { ...base, ...options });
}

test('the best epoch on the validation samples is written, in its form for inference', async () => {
  const report = await run('normalized.onnx', 'a.onnx');
  expect(report).toMatchObject({ samples: { training: 160, validation: 40 }, resumedFrom: null, interrupted: false });
  expect(report.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4]);
  const accuracies = report.epochs.map(({ accuracy }) => accuracy);
  expect(report.best.accuracy).toBe(Math.max(...accuracies));
  expect(report.best.epoch).toBe(accuracies.lastIndexOf(report.best.accuracy));
  expect(report.best.accuracy).toBeGreaterThan(0.9);
  expect(report.epochs[4].loss).toBeLessThan(report.epochs[1].loss!);
  expect(existsSync(path('a.onnx.checkpoint'))).toBe(false);
  const { graph } = (await openArtifact(path('a.onnx'))) as ModelArtifact;
  expect(graph.nodes.filter(({ op }) => op === 'Dropout').map(({ inputs }) => inputs.length)).toEqual([2]);
  const again = await run('normalized.onnx', 'b.onnx');
  expect(readFileSync(path('b.onnx')).equals(readFileSync(path('a.onnx')))).toBe(true);
  expect(again.epochs).toEqual(report.epochs);
});

test('a training that fails leaves the best epoch that it had reached', async () => {
  const failAt = (at: number) =>
    run('small.onnx', `failed-${at}.onnx`, {
      onProgress: ({ step }) => {
        if (step === at) throw new HoneError('E_TRAINING', { step, reason: 'the loss is NaN' });
      },
    });
  await expect(failAt(12)).rejects.toMatchObject({ code: 'E_TRAINING' });
  expect(existsSync(path('failed-12.onnx'))).toBe(true);
  await expect(failAt(3)).rejects.toMatchObject({ code: 'E_TRAINING' });
  expect(existsSync(path('failed-3.onnx'))).toBe(false);
});

test('a stopped run leaves the best so far and goes on from there, unless something has changed', async () => {
  await run('small.onnx', 'whole.onnx');
  const stop = new AbortController();
  const onEpoch: TrainModelOptions['onEpoch'] = ({ epoch }) => {
    if (epoch === 2) stop.abort();
  };
  const stopped = await run('small.onnx', 'c.onnx', { onEpoch, signal: stop.signal });
  expect(stopped.interrupted).toBe(true);
  expect(stopped.epochs).toHaveLength(3);
  expect(existsSync(path('c.onnx'))).toBe(true);
  const checkpoint = readFileSync(path('c.onnx.checkpoint'));
  const more = await run('small.onnx', 'c.onnx');
  expect(more).toMatchObject({ resumedFrom: 20, interrupted: false });
  expect(readFileSync(path('c.onnx')).equals(readFileSync(path('whole.onnx')))).toBe(true);
  writeFileSync(path('c.onnx.checkpoint'), checkpoint);
  const other = await run('small.onnx', 'c.onnx', { settings: { ...SETTINGS, seed: 4 } });
  expect(other.resumedFrom).toBeNull();
  const early = run('small.onnx', 'd.onnx', { signal: AbortSignal.abort() });
  await expect(early).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  expect(existsSync(path('d.onnx'))).toBe(false);
});

test('without validation samples, a tenth is held out; labels and float models are asked for', async () => {
  const { samples } = await run('small.onnx', 'e.onnx', { validation: undefined });
  expect(samples).toEqual({ training: 144, validation: 16 });
  await expect(run('small.onnx', 'f.onnx', { data: path('bare.npz') })).rejects.toThrow(/labels in .*bare\.npz/);
  const small = (await openArtifact(path('small.onnx'))) as ModelArtifact;
  const quantized = trainModel(
    { ...small, quantized: true },
    { data: path('train.npz'), target: path('f.onnx'), settings: SETTINGS },
  );
  await expect(quantized).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
});

test('killed at random moments, a run ends with the bytes of an undisturbed one', async () => {
  const command = (out: string) =>
    ['train', 'normalized.onnx', '--data', 'train.npz', '--validation', 'val.npz', '--out', out].concat([
      '--epochs',
      '60',
      '--batch',
      '8',
      '--optimizer',
      'adamw',
      '--learning-rate',
      '0.002',
      '--checkpoint-every',
      '7',
    ]);
  expect(await start(command('calm.onnx'), { cwd: folder }).ended).toMatchObject({ code: 0 });
  const rng = new Rng(Date.now());
  let kills = 0;
  while (kills < 3) {
    const running = start(command('killed.onnx'), { cwd: folder });
    await Promise.race([running.until(/epoch [1-9]/).catch(() => ''), running.ended]);
    const timer = setTimeout(() => running.child.kill('SIGKILL'), rng.integer(0, 250));
    const { signal } = await running.ended;
    clearTimeout(timer);
    if (signal !== 'SIGKILL') break;
    kills++;
  }
  const last = await start(command('killed.onnx'), { cwd: folder }).ended;
  expect(last).toMatchObject({ code: 0 });
  expect(kills).toBeGreaterThan(0);
  // The first checkpoint is older than the first epoch that was waited for.
  if (kills === 3) expect(last.stdout).toMatch(/went on from step \d+/);
  expect(readFileSync(path('killed.onnx')).equals(readFileSync(path('calm.onnx')))).toBe(true);
});

// A step of a batch takes three times the multiply-accumulates of its samples (forward, and two gradients).
test.each([
  ['a matrix product of 400 MMAC', 20_000, 20_000, 25, 25],
  ['the same in a smaller batch', 20_000, 20_000, 5, 125],
  ['one sample beyond half a minute', 20_000, 20_000, 2000, 1],
  ['next to no work', 2, 2, 1, 10_000],
])('checkpoints are half a minute of work apart: %s', (_, rows, columns, batch, steps) => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 1, rows]);
  const column = builder.input('w', 'float32', [rows, columns]);
  builder.output(builder.node('MatMul', [x, column], {}, { outputs: ['y'] }), 'float32', ['N', 1, columns]);
  expect(stepsBetweenCheckpoints(builder.build(), batch)).toBe(steps);
});
