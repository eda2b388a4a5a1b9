import type { StepRecord } from '../../../lib/compress/recipe/context';
import { runRecipe } from '../../../lib/compress/recipe/run-recipe';
import type { RecipeStep } from '../../../lib/compress/recipe/steps';
import { HoneError } from '../../../lib/core/error';
import { chain, heal, interrupted, memoryCache, toyContext, zeroed, zeroLayers, zeroSome } from './toy-run';

const zero = (from = 0): RecipeStep => ({ method: zeroLayers, options: { share: 1, from } });
const healing = (points = 10): RecipeStep => ({ method: heal, options: { points }, recovers: true });
const NATIVE = { executor: 'native', reason: null } as const;
const slow: RecipeStep = { method: interrupted, options: {} };

test('every step is measured against the incoming model', async () => {
  const seen: StepRecord[] = [];
  const context = toyContext([1, 2, 4], { onStep: async (record) => void seen.push(record) });
  const result = await runRecipe(chain(3), [zero(2), zero()], context);
  expect(result.baseline).toMatchObject({ accuracy: 0.9, macs: 12, weightBytes: 48 });
  expect(result.steps).toEqual(seen);
  expect(seen.map(({ index, method, accuracy, weightBytes }) => [index, method, accuracy, weightBytes])).toEqual([
    [0, 'zero', 0.86, 32],
    [1, 'zero', 0.83, 0],
  ]);
  expect(seen[1].drop).toBeCloseTo(0.07, 12);
  expect(seen[1].decisions).toHaveLength(3);
  expect(result).toMatchObject({ bestStep: 2, missed: [], leftOut: [], interrupted: false });
  expect(result.bytes.length).toBe(seen[1].bytes);
  expect(zeroed(result.graph)).toHaveLength(3);
});

test('a goal of a step that is out of reach counts as missed', async () => {
  const far = {
    ...zeroLayers,
    apply: async (...args: Parameters<typeof zeroLayers.apply>) => ({
      ...(await zeroLayers.apply(...args)),
      missed: 'too far',
    }),
  };
  const cache = memoryCache();
  for (const cached of [false, true]) {
    const result = await runRecipe(chain(2), [{ method: far, options: {} }], toyContext([1, 1], { cache }));
    expect(result.missed).toEqual(['steps[0].zero: too far']);
    expect(result.steps[0]).toMatchObject({ cached, missed: 'too far' });
  }
});

test.each([
  [
    new HoneError('E_OPTION_VALUE', { option: 'share', expected: 'a', found: 'b' }),
    { option: 'r: steps[1].zero.share' },
  ],
  [new HoneError('E_DATA_MISMATCH', { expected: 'labels', found: 'none' }), { expected: 'labels (r: steps[1].zero)' }],
  [new HoneError('E_FILE_WRITE', { path: 'p', reason: 'full' }), { path: 'p' }],
])('an error of a method says which step it comes from: %s', async (error, details) => {
  const broken = { ...zeroLayers, apply: () => Promise.reject(error) };
  const steps = [zero(), { method: broken, options: {} }];
  const run = runRecipe(chain(2), steps, toyContext([1, 1], { place: 'r: ' }));
  await expect(run).rejects.toMatchObject({ code: error.code, details });
});

describe('a step that breaks the goal', () => {
  // Layer k costs k points and has damage k: 0 + 1 + ... + 7 = 28.
  const costs = [0, 1, 2, 3, 4, 5, 6, 7];

  test.each([
    [28, 0],
    [21, 1],
    [20.9, 2],
    [11, 3],
    [10, 3],
    [6, 4],
    [1, 6],
    [0, 7],
  ])('maxDrop %d leaves the worst %d layers alone', async (maxDrop, count) => {
    const result = await runRecipe(chain(8), [zero()], toyContext(costs, { goals: { maxDrop, tries: 8 } }));
    const worst = Array.from({ length: count }, (_, k) => `layer${7 - k}`);
    expect(result.steps[0].rolledBack).toEqual(worst);
    expect(zeroed(result.graph)).toHaveLength(8 - count);
    expect(result.missed).toEqual([]);
  });

  test('is left out when one layer alone breaks it; the next step goes on from what is there', async () => {
    const context = toyContext([5, 5, 0.5], { goals: { maxDrop: 1, tries: 8 } });
    const harmful = {
      ...zeroLayers,
      apply: async (...args: Parameters<typeof zeroLayers.apply>) =>
        zeroLayers.apply(args[0], args[1], { ...args[2], keep: new Set(['layer1', 'layer2']) }),
    };
    const result = await runRecipe(chain(3), [{ method: harmful, options: { share: 1, from: 0 } }, zero(2)], context);
    expect(result.leftOut).toEqual([
      {
        index: 0,
        method: 'zero',
        reason: expect.stringMatching(/drops 5\.00 points.*allows 1/),
        tries: [expect.objectContaining({ passes: false, macs: 12 })],
      },
    ]);
    expect(result.missed).toEqual([expect.stringMatching(/^steps\[0\]\.zero was left out/)]);
    expect(zeroed(result.graph)).toEqual(['layer2']);
    expect(result.steps.map(({ index }) => index)).toEqual([1]);
  });

  test('stops trying after `tries`', async () => {
    let applied = 0;
    const context = toyContext(costs, { goals: { maxDrop: 0, tries: 2 }, onStep: async () => void applied++ });
    const result = await runRecipe(chain(8), [zero()], context);
    expect(applied).toBe(3);
    expect(result).toMatchObject({ bestStep: 0, steps: [], leftOut: [{ index: 0 }] });
    expect(zeroed(result.graph)).toEqual([]);
  });
});

describe('a step that can be asked for less', () => {
  const alike = [1, 1, 1, 1, 1, 1, 1, 1.2];
  const some = (share: number, damages = alike): RecipeStep => ({ method: zeroSome(damages), options: { share } });
  const eight = Array.from({ length: 8 }, () => 1);

  test.each([
    [7, 7],
    [3, 3],
    [2, 2],
    [1, 1],
  ])('keeps to maxDrop %d with %d of 8 layers treated', async (maxDrop, count) => {
    const result = await runRecipe(chain(8), [some(1)], toyContext(eight, { goals: { maxDrop, tries: 8 } }));
    expect(zeroed(result.graph)).toHaveLength(count);
    const { tries, rolledBack } = result.steps[0];
    expect(rolledBack).toEqual([]);
    expect(result.steps[0].asked).toBe(tries!.findLast(({ passes }) => passes)!.asked);
    expect(tries![0]).toMatchObject({ rolledBack: [], passes: false });
    expect(tries![0].drop).toBeCloseTo(0.08, 12);
    expect(tries!.slice(1).every(({ asked }) => asked !== undefined)).toBe(true);
    const failed = tries!.filter(({ passes }) => !passes).toSorted((a, b) => a.drop - b.drop);
    const [notice] = result.diagnostics.filter(({ kind }) => kind === 'rolled-back');
    expect(notice.where).toBe('steps[0].zero-some.goal');
    expect(notice.message).toMatch(
      /^share 0\.\d+ instead of 1: the next step, .* drops \d\.00 points of accuracy, maxDrop allows/,
    );
    expect(notice.message).toContain(`drops ${(100 * failed[0].drop).toFixed(2)} points`);
    expect(result.missed).toEqual([]);
  });

  test('the standard error counts for what the recipe asks, not for less', async () => {
    const detailOf = () => ({ dropStandardError: 0.011, interval95: [0, 1] as const, judgedBy: NATIVE });
    const run = (maxDrop: number, share: number) =>
      runRecipe(chain(8), [some(share)], toyContext(eight, { goals: { maxDrop, tries: 8 }, detailOf }));
    expect(zeroed((await run(3, 0.5)).graph)).toHaveLength(4);
    expect(zeroed((await run(3, 0.75)).graph)).toHaveLength(3);
    expect(zeroed((await run(2, 0.5)).graph)).toHaveLength(2);
  });

  test('leaves a layer alone that stands out, where the others make up for it', async () => {
    const context = toyContext([5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], { goals: { maxDrop: 1, tries: 8 } });
    const result = await runRecipe(chain(8), [some(0.5, [3, 1, 1, 1, 1, 1, 1, 1])], context);
    expect(zeroed(result.graph)).toEqual(['layer1', 'layer2', 'layer3', 'layer4']);
    expect(result.steps[0]).toMatchObject({ rolledBack: ['layer0'], tries: [{ passes: false }, { passes: true }] });
    expect(result.diagnostics).toEqual([]);
  });

  test('the form that does less harm goes on with a smaller share', async () => {
    const costs = [5, 1, 1, 1, 1, 1, 1, 1];
    const context = toyContext(costs, { goals: { maxDrop: 2, tries: 8 } });
    const result = await runRecipe(chain(8), [some(0.5, [3, 1, 1, 1, 1, 1, 1, 1])], context);
    expect(zeroed(result.graph)).toEqual(['layer1', 'layer2']);
    const [notice] = result.diagnostics;
    expect(notice.message).toMatch(/^share 0\.\d+ instead of 0\.5 and layer0 left alone: the next step, /);
  });

  test('is left out when the least that is tried still costs too much, with all tries', async () => {
    const context = toyContext([9, 1, 1, 1, 1, 1, 1, 1], { goals: { maxDrop: 1, tries: 8 } });
    const result = await runRecipe(chain(8), [some(1)], context);
    expect(zeroed(result.graph)).toEqual([]);
    const [{ reason, tries }] = result.leftOut;
    expect(reason).toMatch(
      /^it drops 16\.00 points of accuracy, maxDrop allows 1; the least of \d milder tries \(share 0\.\d+ instead of 1\) drops 9\.00$/,
    );
    expect(tries!.every(({ passes }) => !passes)).toBe(true);
  });

  test('the tries are counted together, and none are made when there are to be none', async () => {
    for (const most of [0, 1, 2, 3]) {
      const context = toyContext(eight, { goals: { maxDrop: 0.5, tries: most } });
      const result = await runRecipe(chain(8), [some(1, [9, 1, 1, 1, 1, 1, 1, 1])], context);
      expect(result.leftOut[0].tries).toHaveLength(most + 1);
    }
  });

  test('an interruption gives the best try so far', async () => {
    let applied = 0;
    const method = zeroSome(alike);
    const slowing = {
      ...method,
      apply: async (...args: Parameters<typeof method.apply>) => {
        if (++applied > 3) throw new HoneError('E_INTERRUPTED', { what: 'slow work' });
        return method.apply(...args);
      },
    };
    const context = toyContext(eight, { goals: { maxDrop: 3, tries: 8 } });
    const result = await runRecipe(chain(8), [{ method: slowing, options: { share: 1 } }], context);
    expect(result.interrupted).toBe(true);
    expect(zeroed(result.graph)).toHaveLength(2);
  });
});

describe('recovery', () => {
  test('the step before it is judged after it', async () => {
    const context = toyContext([3, 4, 5], { goals: { maxDrop: 2, tries: 8 } });
    const result = await runRecipe(chain(3), [zero(), healing()], context);
    expect(result.steps.map(({ method, accuracy }) => [method, accuracy])).toEqual([
      ['zero', 0.78],
      ['heal', 0.88],
    ]);
    expect(result).toMatchObject({ bestStep: 2, missed: [] });
  });

  test('runs again with the rolled-back step', async () => {
    const context = toyContext([3, 4, 5], { goals: { maxDrop: 2, tries: 8 } });
    const result = await runRecipe(chain(3), [zero(), healing(5)], context);
    expect(result.steps.map(({ method, rolledBack }) => [method, rolledBack])).toEqual([
      ['zero', ['layer2']],
      ['heal', []],
    ]);
  });

  test('one that does harm is left out, what it was to recover stays', async () => {
    const context = toyContext([1, 1, 1], { goals: { maxDrop: 4, tries: 8 } });
    const result = await runRecipe(chain(3), [zero(), healing(-5)], context);
    expect(result.steps.map(({ method }) => method)).toEqual(['zero']);
    expect(result.leftOut).toMatchObject([{ index: 1, method: 'heal' }]);
  });

  test('still runs when the step before it is left out', async () => {
    const context = toyContext([9], { goals: { maxDrop: 2, tries: 8 } });
    const result = await runRecipe(chain(1), [zero(), healing(1)], context);
    expect(result.steps.map(({ method }) => method)).toEqual(['heal']);
    expect(result.leftOut).toMatchObject([{ index: 0 }]);
  });
});

describe('cache', () => {
  test('a second run computes nothing and gives the same bytes', async () => {
    const cache = memoryCache();
    const goals = { maxDrop: 5, tries: 8 };
    const first = await runRecipe(chain(3), [zero(1), healing()], toyContext([1, 2, 4], { cache, goals }));
    const stored = cache.steps.size;
    const again = await runRecipe(chain(3), [zero(1), healing()], toyContext([1, 2, 4], { cache, goals }));
    expect(again.bytes).toEqual(first.bytes);
    expect(again.steps.every(({ cached }) => cached)).toBe(true);
    expect(cache.steps.size).toBe(stored);
    expect(again.steps.map((step) => ({ ...step, cached: false }))).toEqual(first.steps);
  });

  test.each<[string, Parameters<typeof toyContext>[1], RecipeStep[]]>([
    ['seed', { seed: 2 }, [zero(1)]],
    ['data', { dataIdentity: 'other' }, [zero(1)]],
    ['version', { version: 'next' }, [zero(1)]],
    ['ignored nodes', { ignore: { names: ['layer0'], types: [] } }, [zero(1)]],
    ['target', { target: { isa: 'ref' } }, [zero(1)]],
    ['teacher', { teachers: new Map([['big', chain(2)]]) }, [zero(1)]],
    ['options', {}, [zero(2)]],
  ])('another %s is another key', async (_, change, steps) => {
    const cache = memoryCache();
    await runRecipe(chain(3), [zero(1)], toyContext([1, 2, 4], { cache }));
    await runRecipe(chain(3), steps, toyContext([1, 2, 4], { cache, ...change }));
    expect(cache.hits).toBe(0);
  });
});

describe('interruption', () => {
  test('gives the best so far', async () => {
    const result = await runRecipe(chain(3), [zero(1), slow, zero()], toyContext([1, 2, 4]));
    expect(result).toMatchObject({ interrupted: true, bestStep: 1 });
    expect(zeroed(result.graph)).toEqual(['layer1', 'layer2']);
  });

  test('a step that waits for its recovery counts when it is good enough already', async () => {
    const steps = [zero(1), { ...slow, recovers: true }];
    const good = await runRecipe(chain(3), steps, toyContext([1, 2, 4], { goals: { maxDrop: 9, tries: 8 } }));
    expect(good).toMatchObject({ interrupted: true, bestStep: 1 });
    const bad = runRecipe(chain(3), steps, toyContext([1, 2, 4], { goals: { maxDrop: 1, tries: 8 } }));
    await expect(bad).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });

  test('before the first step is done there is nothing to give', async () => {
    await expect(runRecipe(chain(3), [slow], toyContext([1, 2, 4]))).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
    const aborted = toyContext([1, 2, 4], { signal: AbortSignal.abort() });
    await expect(runRecipe(chain(3), [zero()], aborted)).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });
});

test('goals of cost that cannot be met are named, and the smallest model is kept', async () => {
  const context = toyContext([1, 2, 4], { goals: { tries: 8, maxBytes: 10, maxMacs: 11 } });
  const result = await runRecipe(chain(3), [zero(1)], context);
  expect(result.missed).toEqual([
    expect.stringMatching(/takes 12 multiply-accumulates per sample, maxMacs allows 11/),
    expect.stringMatching(/takes \d+ bytes, maxBytes allows 10/),
  ]);
  expect(result.bestStep).toBe(1);
});

test('ignored nodes stay as they are; one that is not there is an error', async () => {
  const ignore = { names: ['layer[0]', '*2'], types: [] };
  const run = (names: string[]) =>
    runRecipe(chain(3), [zero()], toyContext([1, 2, 4], { ignore: { ...ignore, names } }));
  expect(zeroed((await run(['*2'])).graph)).toEqual(['layer0', 'layer1']);
  await expect(run(['layr1'])).rejects.toMatchObject({
    code: 'E_OPTION_VALUE',
    details: { option: 'ignore.names', expected: expect.stringMatching(/such as 'layer1'/) },
  });
});
