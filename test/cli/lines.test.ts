import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { engineLines } from '../../lib/cli/engine-lines';
import { layerTable, skippedLines } from '../../lib/cli/quantize-lines';
import { errorText, qualityText, stepTable } from '../../lib/cli/step-table';
import { diagnosticLines, namesText } from '../../lib/cli/text';
import type { OptionValues } from '../../lib/cli/verb';
import { inspectVerb } from '../../lib/cli/verbs-inspect';
import { decibelsText } from '../../lib/compress/quantize/measure-quality';
import type { QuantizeReport } from '../../lib/compress/quantize/report';
import { GraphBuilder } from '../../lib/ir/builder';
import type { EngineGroup } from '../../lib/jobs/engine-shares';
import type { RecipeReport } from '../../lib/jobs/recipe/recipe-report';
import { writeModel } from '../../lib/onnx/write-model';
import { dataPath, describeWithData, describeWithZoo, MODELS, ZOO_DIR } from '../data';
import { MOST_LINES, printed } from './printed';

const group = (index: number): EngineGroup => ({
  place: 'none',
  op: `Op${index}`,
  reason: 'the engine has no kernel for it',
  nodes: Array.from({ length: 20 }, (_, node) => `node${index}.${node}`),
});
const SHARES = [
  { place: 'int8', macs: 900, weightBytes: 750 },
  { place: 'float', macs: 100, weightBytes: 250 },
  { place: 'none', macs: 0, weightBytes: 0 },
] as const;

test.each<[spec: object, said: string]>([
  [{ kind: 'boxes', layout: 'yolov8', labels: ['cat', 'dog'] }, 'means boxes (yolov8), 2 labels'],
  [{ kind: 'classes' }, 'means classes'],
  [{ kind: 'ctc', alphabet: 'abc' }, 'means ctc, 3 characters'],
  [{ kind: 'threshold' }, 'means threshold'],
])('inspect shows how pictures come in, and what comes out: %j', async (spec, said) => {
  const path = join(mkdtempSync(join(tmpdir(), 'hone-specs-')), 'model.onnx');
  const b = new GraphBuilder();
  b.output(b.node('Relu', [b.input('x', 'float32', [1, 3, 4, 6])], {}, { outputs: ['y'] }), 'float32', [1, 3, 4, 6]);
  b.setMetadata('hone.preprocess', JSON.stringify({ size: [4, 6], resize: 'letterbox', channels: 'BGR' }));
  b.setMetadata('hone.outputs', JSON.stringify(spec));
  writeFileSync(path, writeModel(b.build()));
  const lines = (await printed(inspectVerb, path)).map((line) => line.trim());
  expect(lines).toContain('pictures of 6 x 4 pixels, BGR, letterbox');
  expect(lines).toContain(said);
  rmSync(dirname(path), { recursive: true });
});

test.each<[spec: object, said: string]>([
  [{ rate: 16000 }, 'sound at 16000 samples per second'],
  [{ rate: 8000, hop: 256 }, 'sound at 8000 samples per second, 256 from window to window'],
])('inspect shows how sound comes in: %j', async (spec, said) => {
  const path = join(mkdtempSync(join(tmpdir(), 'hone-specs-')), 'model.onnx');
  const b = new GraphBuilder();
  b.output(b.node('Relu', [b.input('x', 'float32', [1, 512])], {}, { outputs: ['y'] }), 'float32', [1, 512]);
  b.setMetadata('hone.sound', JSON.stringify(spec));
  writeFileSync(path, writeModel(b.build()));
  expect((await printed(inspectVerb, path)).map((line) => line.trim())).toContain(said);
  rmSync(dirname(path), { recursive: true });
});

test('inspect shows sample axes that are not the first, and states', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'hone-axes-')), 'model.onnx');
  const b = new GraphBuilder();
  for (const [name, shape] of Object.entries({ x: [1, 8], s: [2, 1, 8], table: [2, 2, 8], rate: [] }))
    b.input(name, 'float32', shape);
  const sum = b.node('Add', [b.node('Add', ['s', 'table']), 'rate']);
  b.output(b.node('Add', ['x', 'rate'], {}, { outputs: ['y'] }), 'float32', [1, 8]);
  b.output(b.node('ReduceMean', [sum], { keepdims: 1 }, { outputs: ['other'] }));
  b.output(b.node('Identity', ['s'], {}, { outputs: ['sn'] }), 'float32', [2, 1, 8]);
  writeFileSync(path, writeModel(b.build()));
  const inputs = async (options: OptionValues) =>
    (await printed(inspectVerb, path, options)).filter((line) => line.startsWith('input'));
  expect(await inputs({})).toEqual([
    'input   x: float32 [1, 8]',
    'input   s: float32 [2, 1, 8], samples on axis 1, a state: the next one is sn',
    'input   table: float32 [2, 2, 8], a whole one per sample',
    'input   rate: float32 []',
  ]);
  expect((await inputs({ batchAxis: ['table=2', 's=none'] })).slice(1, 3)).toEqual([
    'input   s: float32 [2, 1, 8], a whole one per sample, a state: the next one is sn',
    'input   table: float32 [2, 2, 8], samples on axis 2',
  ]);
  rmSync(dirname(path), { recursive: true });
});

test('noise that is none is exact', () => {
  expect([Number.POSITIVE_INFINITY, 40.25, Number.NEGATIVE_INFINITY].map((db) => decibelsText(db))).toEqual([
    'exact',
    '40.3 dB',
    '-Infinity dB',
  ]);
  const layers = [40.25, Number.POSITIVE_INFINITY].map((sqnrDb, index) => {
    return { name: `layer${index}`, op: 'Conv', sqnrDb, pairs: 8, saturatingPairs: 0 };
  });
  expect(layerTable({ layers } as unknown as QuantizeReport, false)).toEqual([
    'layer   op    SQNR dB',
    'layer0  Conv     40.3',
    'layer1  Conv    exact',
  ]);
});

test('the table of shares', () => {
  expect(engineLines({ shares: SHARES, groups: [] }, false)).toEqual([
    'the engine runs     MAC       weights',
    'int8             90.0 %  900   75.0 %  750 B',
    'float            10.0 %  100   25.0 %  250 B',
    'not at all        0.0 %    0    0.0 %    0 B',
    'runs wholly on the native engine',
  ]);
  const unknown = SHARES.map((share) => ({ ...share, macs: null, weightBytes: 0 }));
  expect(engineLines({ shares: unknown, groups: [] }, false).slice(1, 4).join()).toMatch(/^int8 +unknown +- +0 B,/);
});

test('many operators are short without --verbose, and complete with it', () => {
  const groups = Array.from({ length: 100 }, (_, index) => group(index));
  const short = engineLines({ shares: SHARES, groups }, false);
  expect(short).toHaveLength(6);
  expect(short.at(-1)).toMatch(
    /^ {2}20 x Op0, 20 x Op1, .* and 1760 nodes of other kinds: the engine has no kernel for it$/,
  );
  const long = engineLines({ shares: SHARES, groups }, true).join('\n');
  for (const { nodes } of groups) for (const name of nodes) expect(long).toContain(name);
});

test('many reasons are cut, and a few nodes named', () => {
  const groups = Array.from({ length: 30 }, (_, index) => ({
    ...group(index),
    reason: `reason ${index}`,
    nodes: [`n${index}`],
  }));
  const lines = engineLines({ shares: SHARES, groups }, false);
  expect(lines).toContain('  1 x Op3 (n3): reason 3');
  expect(lines.slice(-2)).toEqual(['  1 x Op7 (n7): reason 7', '  and 22 nodes more; --verbose lists all']);
});

test('which input is float is told by --verbose alone', () => {
  const groups = ['first', 'second'].map((which) => ({
    place: 'float' as const,
    op: 'Add',
    reason: `its ${which} input is float`,
    nodes: [which],
  }));
  expect(engineLines({ shares: SHARES, groups }, false)).toContain(
    '  2 x Add (first, second): an input of it is float',
  );
  expect(engineLines({ shares: SHARES, groups }, true)).toContain('  1 x Add: its second input is float (second)');
});

test('a long table of layers shows the least accurate ones', () => {
  const layers = Array.from({ length: 50 }, (_, index) => ({
    name: `layer${index}`,
    op: 'Conv',
    sqnrDb: 20 + ((index * 7) % 50),
    pairs: 8,
    saturatingPairs: 0,
  }));
  const skipped = Array.from({ length: 50 }, (_, index) => ({
    name: `n${index}`,
    op: 'Div',
    reason: `reason ${index % 20} with 'value${index}' in it`,
  }));
  const report = { layers, skipped } as unknown as QuantizeReport;
  const lines = [...layerTable(report, false), ...skippedLines(report, false)];
  expect(lines.length).toBeLessThan(25);
  expect(lines).toContain('and 40 layers with more, up to 69.0 dB; --verbose lists all');
  for (const { name, sqnrDb } of layers) expect(lines.some((line) => line.startsWith(`${name} `))).toBe(sqnrDb < 30);
  expect(layerTable(report, true)).toHaveLength(51);
  expect(skippedLines(report, true)).toHaveLength(20);
});

test('equal diagnostics are one line', () => {
  const list = ['a', 'b', 'c', 'd', 'e'].map(
    (where) => ({ severity: 'warning', kind: 'k', where, message: 'odd' }) as const,
  );
  expect(diagnosticLines(list)).toEqual(['  odd: 5 x (a, b, c and 2 more)']);
  expect(diagnosticLines(list, true)).toEqual(['  odd: 5 x (a, b, c, d, e)']);
  expect(namesText(['a', 'b', 'c', 'd'], false)).toBe('a, b, c, d');
});

test.each([
  [0.7, '(timed in turns; load 0.7 on 2 processors)'],
  [9.3, '(timed in turns; load 9.3 on 2 processors: busy, trust the least times)'],
])('a table of steps shows the load %d', (perMinute, line) => {
  const measure = { accuracy: 0.9, bytes: 1000, macs: 5000, latency: { p50Us: 20, leastUs: 15 } };
  const step = { ...measure, method: 'prune', drop: 0, latency: { p50Us: null, reason: 'none' } };
  const report = {
    baseline: measure,
    steps: [step],
    metric: 'accuracy',
    samples: {},
    load: { perMinute, processors: 2 },
  };
  expect(stepTable(report as unknown as RecipeReport)).toEqual([
    expect.stringMatching(/^after +accuracy +drop +size +MAC +p50 +least$/),
    expect.stringMatching(/^float +90.00 % .* 20 µs +15 µs$/),
    expect.stringMatching(/^prune .* - +-$/),
    line,
  ]);
});

test.each<[RecipeReport['metric'], number, readonly [number, number] | undefined, string]>([
  ['accuracy', 0.9, undefined, '90.00 %'],
  ['agreement', 0.9, [0.85, 0.934], '90.00 % (85.0 to 93.4)'],
  // A share of 0.9 that is 1 less the error is told as the error.
  ['1 - error', 0.9, [0.85, 0.934], '10.00 % (20.0 dB)'],
])('%s of %d is shown as what it is', (metric, accuracy, interval95, expected) => {
  expect(qualityText({ accuracy, ...(interval95 && { interval95 }) } as never, metric)).toBe(expected);
});

test('an error that is none has no decibels', () => {
  expect([0, 0.01].map(errorText)).toEqual(['none', '1.00 % (40.0 dB)']);
});

describeWithData('inspect of real models', () => {
  test.each(MODELS)('%s', async (model) => {
    expect((await printed(inspectVerb, dataPath('models', `${model}.onnx`))).length).toBeLessThanOrEqual(MOST_LINES);
  });
});

describeWithZoo('inspect of networks that people ship', () => {
  const shapes: readonly [RegExp, string][] = [
    [/nudenet/, 'images=1,3,320,320'],
    [/v4_(det|rec)/i, 'x=1,3,64,320'],
  ];
  const files = existsSync(ZOO_DIR) ? readdirSync(ZOO_DIR).filter((name) => name.endsWith('.onnx')) : ['none'];
  test.each(files)('%s', async (file) => {
    const given = shapes.filter(([name]) => name.test(file)).map(([, shape]) => shape);
    for (const options of given.length === 0 ? [{}] : [{}, { shape: given }])
      expect((await printed(inspectVerb, join(ZOO_DIR, file), options)).length).toBeLessThanOrEqual(MOST_LINES);
  });
});
