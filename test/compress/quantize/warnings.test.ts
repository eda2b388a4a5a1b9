import { DEFAULT_QUANTIZE_OPTIONS, resolveQuantizeOptions } from '../../../lib/compress/quantize/quantize-options';
import { fewSamples, largerFile, weakResults } from '../../../lib/compress/quantize/warnings';

const layers = (...sqnrDb: number[]) => sqnrDb.map((db, index) => ({ name: `l${index}`, sqnrDb: db }));

const outputAt = (sqnrDb: number, medianSqnrDb = sqnrDb) => ({ name: 'y', sqnrDb, medianSqnrDb });

test('a few loud samples do not hide that all others are noise', () => {
  const found = weakResults([], [outputAt(45, 0.5), outputAt(45, 30)], DEFAULT_QUANTIZE_OPTIONS);
  expect(found.map(({ message }) => message)).toEqual([
    expect.stringMatching(
      /^half of the samples are at most 0.5 dB .* a few samples that are far louder: calibrate without/,
    ),
  ]);
});

test('an output that is 0 in the float network has no ratio to tell', () => {
  const [{ kind, message }] = weakResults([], [outputAt(Number.NEGATIVE_INFINITY)], DEFAULT_QUANTIZE_OPTIONS);
  expect([kind, message]).toEqual(['weak-output', expect.stringMatching(/^it is 0 in the float network/)]);
});

test.each<[what: string, layers: number[], output: number, kinds: string[]]>([
  ['a good result', [40, 35, 30], 30, []],
  ['a weak one all along', [22, 20, 19], 18, ['weak-output']],
  ['a layer that breaks it', [40, 35, 12, 11], 10, ['weak-output', 'weak-layer']],
  ['a weak layer that later ones make up for', [40, 15, 30], 32, ['weak-layer']],
  ['a layer far below others that is good enough', [60, 30, 30], 30, []],
])('%s', (_, sqnrs, output, kinds) => {
  const found = weakResults(layers(...sqnrs), [outputAt(output)], DEFAULT_QUANTIZE_OPTIONS);
  expect(found.map(({ kind }) => kind)).toEqual(kinds);
  const layer = found.find(({ kind }) => kind === 'weak-layer');
  if (layer) expect(layer.message).toContain(`--skip-name ${layer.where}`);
});

test.each([
  [{ weightBits: 3 }, /more bits/],
  [{ layers: { conv: { activationBits: 4 } } }, /more bits/],
  [{ granularity: 'tensor' }, /per channel/],
  [{ estimator: 'minmax' }, /estimator mse/],
  [{}, /calibration samples/],
] as const)('the advice fits %j', (options, advice) => {
  const [{ message }] = weakResults([], [outputAt(3.2)], resolveQuantizeOptions(options));
  expect(message).toMatch(/^only 3.2 dB/);
  expect(message).toMatch(advice);
});

test('few calibration samples are named', () => {
  expect(fewSamples(16)).toEqual([]);
  expect(fewSamples(15)).toMatchObject([
    { kind: 'few-samples', message: expect.stringMatching(/^ranges rest on 15 samples/) },
  ]);
  expect(fewSamples(1)).toMatchObject([{ message: expect.stringMatching(/^ranges rest on one sample alone/) }]);
});

test('a larger file is named', () => {
  expect(largerFile(1600, 509)).toMatchObject({ kind: 'larger-file', message: expect.stringContaining('1600 bytes') });
  expect(largerFile(509, 509)).toBeUndefined();
});
