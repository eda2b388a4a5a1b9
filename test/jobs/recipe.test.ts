import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainReport } from '../../lib/jobs/explain';
import type { RecipePlan } from '../../lib/jobs/recipe/recipe';
import { readReport } from '../../lib/jobs/recipe/recipe-report';
import { recipeFolder, runToy } from './recipe-folder';

let folder: string;
const bytesOf = (name: string) => readFileSync(join(folder, name));

beforeAll(() => {
  folder = recipeFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));

const STEPS = [
  { prune: { sparsity: 0.4 } },
  { finetune: { epochs: 2, batchSize: 16, learningRate: 0.05, select: 'last' } },
];
const RECIPE = { seed: 3, data: { training: 'labelled.npz' }, steps: STEPS };

test('the same recipe and seed give the same bytes, another seed gives others', async () => {
  const first = await runToy(folder, RECIPE, 'a.onnx');
  await runToy(folder, RECIPE, 'b.onnx');
  await runToy(folder, { ...RECIPE, seed: 4 }, 'c.onnx');
  expect(bytesOf('a.onnx')).toEqual(bytesOf('b.onnx'));
  expect(bytesOf('a.onnx')).not.toEqual(bytesOf('c.onnx'));
  expect(first).toMatchObject({
    metric: 'accuracy',
    samples: { training: 288, validation: 80, calibration: 32, test: 0 },
    baseline: { accuracy: 1, latency: { p50Us: expect.any(Number), leastUs: expect.any(Number) } },
    load: { perMinute: expect.any(Number), processors: expect.any(Number) },
    engine: { groups: [] },
    steps: [
      { method: 'prune', index: 0, cached: false },
      { method: 'finetune', index: 1 },
    ],
    result: { steps: 2, path: join(folder, 'a.onnx'), bytes: bytesOf('a.onnx').length },
    missed: [],
    interrupted: false,
    test: null,
  });
  expect(await readReport(join(folder, 'a.onnx'))).toEqual(JSON.parse(JSON.stringify(first)));
});

describe('cache', () => {
  const cache = () => join(folder, 'cached.onnx.hone-cache');

  test('a second run computes nothing; training leaves no checkpoint behind', async () => {
    await runToy(folder, RECIPE, 'cached.onnx');
    const files = readdirSync(cache());
    expect(files.filter((name) => name.endsWith('.checkpoint'))).toEqual([]);
    expect(files).toHaveLength(4);
    const again = await runToy(folder, RECIPE, 'cached.onnx');
    expect(again.steps.every(({ cached }) => cached)).toBe(true);
    expect(readdirSync(cache())).toEqual(files);
  });

  test.each<[string, (path: string, name: string) => void]>([
    ['is gone', (path) => rmSync(path)],
    ['was cut', (path) => writeFileSync(path, readFileSync(path).subarray(0, 40))],
    ['is of another step', (path, name) => writeFileSync(path, name.endsWith('.onnx') ? 'other' : '{}')],
  ])('a file that %s is made anew', async (_, spoil) => {
    const before = bytesOf('cached.onnx');
    for (const name of readdirSync(cache())) {
      spoil(join(cache(), name), name);
      const { steps } = await runToy(folder, RECIPE, 'cached.onnx');
      expect(steps.filter(({ cached }) => !cached)).toHaveLength(1);
      expect(bytesOf('cached.onnx')).toEqual(before);
    }
  });

  test('changed data, a changed option or a changed model is another step', async () => {
    const { steps } = await runToy(
      folder,
      { ...RECIPE, data: { training: { path: 'labelled.npz', to: 399 } } },
      'cached.onnx',
    );
    expect(steps[0].cached).toBe(false);
    const changed = [{ prune: { sparsity: 0.4 } }, { finetune: { epochs: 1, batchSize: 16 } }];
    const other = await runToy(folder, { ...RECIPE, steps: changed }, 'cached.onnx');
    expect(other.steps.map(({ cached }) => cached)).toEqual([true, false]);
  });
});

describe('samples', () => {
  const ranges = (training: object, validation: object) => ({
    training: { path: 'labelled.npz', ...training },
    validation: { path: 'labelled.npz', ...validation },
  });

  test('ranges of one file are parts; calibration comes out of training', async () => {
    let plan: RecipePlan | undefined;
    const data = { ...ranges({ to: 200 }, { from: 200, to: 300 }), test: 'test.npz' };
    const report = await runToy(folder, { data, steps: STEPS }, 'd.onnx', { onPlan: (found) => (plan = found) });
    expect(plan).toMatchObject({ samples: { training: 180, validation: 100, calibration: 20, test: 60 } });
    expect(report.test).toEqual({
      before: 0.9,
      after: expect.any(Number),
      interval95: [expect.any(Number), expect.any(Number)],
      dropStandardError: expect.any(Number),
    });
  });

  test.each<[string, object, string, RegExp]>([
    ['overlap', ranges({ to: 200 }, { from: 199 }), 'data.validation', /not among those of data\.training/],
    ['are the same file twice', ranges({}, {}), 'data.validation', /not among/],
    ['end behind the data', ranges({ to: 401 }, { from: 300 }), 'data.training.to', /at most 400/],
    ['are no range', ranges({ from: 50, to: 50 }, { from: 300 }), 'data.training.from', /below 50/],
  ])('parts that %s are refused', async (_, data, option, expected) => {
    await expect(runToy(folder, { data, steps: STEPS }, 'e.onnx')).rejects.toMatchObject({
      code: 'E_OPTION_VALUE',
      details: { option, expected: expect.stringMatching(expected) },
    });
    expect(existsSync(join(folder, 'e.onnx'))).toBe(false);
  });

  test('too little to split, and nothing at all', async () => {
    const few = { training: { path: 'labelled.npz', to: 4 } };
    await expect(runToy(folder, { data: few, steps: STEPS }, 'e.onnx')).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      details: { expected: expect.stringMatching(/at least 5 samples/), found: '4 in data.training' },
    });
    for (const data of [{}, { validation: 'labelled.npz' }])
      await expect(runToy(folder, { data, steps: STEPS }, 'e.onnx')).rejects.toMatchObject({
        code: 'E_DATA_MISMATCH',
        details: { expected: expect.stringMatching(/data\.training or data\.calibration/) },
      });
  });

  test('without labels models are measured by agreement, and the teacher replaces the labels', async () => {
    const report = await runToy(folder, { ...RECIPE, data: { training: 'unlabelled.npz' } }, 'f.onnx');
    expect(report).toMatchObject({ metric: 'agreement', baseline: { accuracy: 1 } });
  });

  test('a method that needs labels says so', async () => {
    const steps = [{ prune: { sparsity: 0.4, criterion: 'taylor' } }];
    await expect(runToy(folder, { steps, data: { training: 'unlabelled.npz' } }, 'f.onnx')).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      details: { expected: expect.stringMatching(/label/) },
    });
  });

  test('a method that trains says that there is nothing to train with', async () => {
    const steps = [{ finetune: { epochs: 1 } }];
    await expect(runToy(folder, { steps, data: { calibration: 'labelled.npz' } }, 'f.onnx')).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      details: { expected: expect.stringMatching(/training samples/) },
    });
  });
});

test('a teacher that is not there', async () => {
  const steps = [{ distill: { teacher: 'big', epochs: 1 } }];
  await expect(runToy(folder, { ...RECIPE, steps, teachers: { big: 'none.onnx' } }, 'g.onnx')).rejects.toMatchObject({
    code: 'E_FILE_NOT_FOUND',
  });
  await expect(runToy(folder, { ...RECIPE, steps, teachers: { bgi: 'toy.onnx' } }, 'g.onnx')).rejects.toMatchObject({
    code: 'E_OPTION_VALUE',
    details: { option: 'steps[0].distill.teacher', expected: expect.stringMatching(/bgi/) },
  });
});

test('explains layer by layer what was done, and what was rolled back', async () => {
  const report = await runToy(folder, { ...RECIPE, steps: [{ prune: { sparsity: 0.9 } }] }, 'h.onnx');
  const layers = explainReport(report);
  expect(layers.map(({ layer }) => layer)).toHaveLength(2);
  expect(layers.flatMap(({ treatments }) => treatments.map(({ method }) => method))).toEqual(['prune', 'prune']);
  const rolledBack = explainReport({
    ...report,
    steps: report.steps.map((step) => ({ ...step, rolledBack: [layers[0].layer] })),
  });
  expect(rolledBack[0].treatments).toMatchObject([
    { treatment: 'rolled back', reason: expect.stringMatching(/maxDrop/) },
  ]);
  expect(explainReport(report, layers[1].layer)).toEqual([layers[1]]);
  expect(explainReport({ ...report, result: { ...report.result, steps: 0 } })).toEqual([]);
});

test('a report that is none', async () => {
  writeFileSync(join(folder, 'odd.json'), '{"format": "other"}');
  for (const name of ['odd.json', 'toy.onnx', 'none.json'])
    await expect(readReport(join(folder, name))).rejects.toMatchObject({ code: 'E_REPORT' });
});

describe('training that diverges at every rate', () => {
  const ASTRAY = { batchSize: 16, learningRate: 1e30, clipShare: 0 };

  test.each<[what: string, step: object, leftOut: boolean]>([
    ['finetune', { finetune: { epochs: 2, ...ASTRAY } }, false],
    ['distill', { distill: { epochs: 2, ...ASTRAY } }, false],
    ['distill from drawn weights', { distill: { epochs: 2, initialise: true, ...ASTRAY } }, true],
    [
      'prune, then train',
      { prune: { sparsity: 0.4, schedule: { kind: 'one-shot' }, training: { epochs: 2, ...ASTRAY } } },
      false,
    ],
    [
      'prune while training',
      { prune: { sparsity: 0.4, schedule: { kind: 'polynomial', frequency: 2 }, training: { epochs: 2, ...ASTRAY } } },
      true,
    ],
    ['prune-structured', { 'prune-structured': { training: { epochs: 2, ...ASTRAY } } }, false],
    ['quantize', { quantize: { method: 'qat', qat: { epochs: 2, ...ASTRAY, optimizer: 'sgd' } } }, false],
  ])('%s: a model is written, and what was missed is named', async (what, step, leftOut) => {
    const name = `astray-${what}.onnx`;
    const report = await runToy(folder, { data: { training: 'labelled.npz' }, steps: [step] }, name);
    expect(report.missed).toEqual([
      expect.stringMatching(/^steps\[0\]\.[a-z-]+( was left out)?: .*training failed at step \d+: /),
    ]);
    expect(report.leftOut).toHaveLength(Number(leftOut));
    expect(report.steps).toHaveLength(Number(!leftOut));
    expect(existsSync(join(folder, name))).toBe(true);
    // No worse than without the training.
    expect(report.result.accuracy).toBeGreaterThan(0.5);
  });

  test('the steps behind it go on', async () => {
    const steps = [{ distill: { epochs: 2, initialise: true, ...ASTRAY } }, { quantize: {} }];
    const report = await runToy(folder, { data: { training: 'labelled.npz' }, steps }, 'behind.onnx');
    expect(report.leftOut).toMatchObject([{ index: 0, method: 'distill' }]);
    expect(report.steps).toMatchObject([{ index: 1, method: 'quantize' }]);
  });
});

test('a result that is larger than its source is told, with what helps', async () => {
  const quantized = { data: { calibration: 'unlabelled.npz' }, steps: [{ quantize: {} }] };
  const report = await runToy(folder, quantized, 'larger.onnx');
  expect(report.result.bytes).toBeGreaterThan(report.baseline.bytes);
  expect(report.diagnostics).toContainEqual(expect.objectContaining({ kind: 'larger-file', where: 'file' }));
  const { diagnostics } = await runToy(folder, { ...quantized, steps: [{ prune: { sparsity: 0.5 } }] }, 'pruned.onnx');
  expect(diagnostics.map(({ kind }) => kind)).not.toContain('larger-file');
});
