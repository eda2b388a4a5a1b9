import {
  HELD_OUT_SAMPLES,
  holdOutForRepairs,
  keepIfBetter,
  outputJudge,
  type Repair,
  tooFewToRepair,
} from '../../lib/compress/keep-if-better';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';

/** A state is the text of the repairs in it. */
const repair = (layer: string): Repair<string> => ({ layer, apply: (state) => state + layer });

describe('repairs that are kept', () => {
  const additive = (gains: Readonly<Record<string, number>>) => (state: string) =>
    [...state].reduce((sum, layer) => sum + gains[layer], 20);
  test.each<[what: string, layers: string, sqnrOf: (state: string) => number, kept: string]>([
    ['all that gain', 'abc', additive({ a: 1, b: 0.3, c: 2 }), 'abc'],
    ['none that harms', 'abc', additive({ a: -1, b: -0.3, c: -2 }), ''],
    ['none that does nothing', 'abc', additive({ a: 0, b: 0, c: 0 }), ''],
    ['none with a gain below the threshold', 'ab', additive({ a: 0.19, b: 3 }), 'b'],
    ['a gain at the threshold', 'a', additive({ a: 0.25 }), 'a'],
    ['not one that hides behind the gains of others', 'abcd', additive({ a: 5, b: -2, c: 4, d: 3 }), 'acd'],
    ['good ones that one bad one outweighs', 'abcde', additive({ a: 1, b: 1, c: -30, d: 1, e: 1 }), 'abde'],
    [
      'small gains that add up: what goes costs less than the threshold',
      'abcdef',
      additive({ a: 0.15, b: 0.15, c: 0.15, d: 0.15, e: 0.15, f: 0.15 }),
      'bcdef',
    ],
    ['two that only help together', 'ab', (state) => (state === 'ab' ? 40 : 10), 'ab'],
    ['nothing of an exact start', 'ab', (state) => (state === '' ? Number.POSITIVE_INFINITY : 146), ''],
    ['nothing beside an exact start', 'ab', () => Number.POSITIVE_INFINITY, ''],
    ['what makes it exact', 'ab', (state) => (state.includes('b') ? Number.POSITIVE_INFINITY : 20), 'b'],
    [
      'none whose outputs are no numbers',
      'ab',
      (state) => (state.includes('a') ? Number.NaN : state === 'b' ? 30 : 20),
      'b',
    ],
  ])('%s', async (_, layers, sqnrOf, kept) => {
    const found = await keepIfBetter('', [...layers].map(repair), async (state) => sqnrOf(state));
    expect(found.kept.join('')).toBe(kept);
    expect(found.state).toBe(kept);
    expect(found.sqnrDb).toEqual({ before: sqnrOf(''), after: sqnrOf(kept) });
  });

  test('about one judgement per repair where all gain', async () => {
    let judgements = 0;
    await keepIfBetter(
      '',
      Array.from({ length: 50 }, () => repair('x')),
      async (state) => {
        judgements++;
        return state.length;
      },
    );
    expect(judgements).toBe(52);
  });

  test('no repairs: the start', async () => {
    expect(await keepIfBetter('s', [], async () => 12)).toEqual({
      state: 's',
      kept: [],
      sqnrDb: { before: 12, after: 12 },
    });
  });
});

function linear(factor: number, shape: readonly (string | number)[] = ['N', 2]): Graph {
  const builder = new GraphBuilder({ name: 'linear' });
  const x = builder.input('x', 'float32', shape);
  const w = builder.initializer(tensorFrom('float32', [], [factor]), 'w');
  builder.output(builder.node('Mul', [x, w]), 'float32', shape);
  builder.output(builder.node('Mul', [x, builder.initializer(tensorFrom('float32', [], [3]), 'v')]), 'float32', shape);
  return builder.build();
}

function numbers(count: number) {
  const values = Array.from({ length: 2 * count }, (_, index) => index + 1);
  return datasetFromTensors('numbers', new Map([['x', tensorFrom('float32', [count, 2], values)]]));
}

describe('held-out samples', () => {
  test.each([
    [63, undefined],
    [64, 32],
    [100, 32],
    [200, 50],
    [4000, 64],
  ])('of %d: %s', async (count, held) => {
    const parts = holdOutForRepairs(linear(1), numbers(count));
    expect(parts?.heldOut.count).toBe(held);
    if (!parts) return expect(tooFewToRepair(numbers(count))).toContain('63 calibration samples are too few');
    const seen: number[] = [];
    for (const part of [parts.fitted, parts.heldOut])
      for await (const { inputs } of part.batches({ size: count })) seen.push(...toNumbers(inputs.get('x')!));
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 2 * count }, (_, index) => index + 1));
  });

  test('fill the batch that a graph fixes, or there are none', () => {
    const fixed = linear(1, [48, 2]);
    expect(holdOutForRepairs(fixed, numbers(100))?.heldOut.count).toBe(48);
    expect(holdOutForRepairs(fixed, numbers(90))).toBeUndefined();
    expect(HELD_OUT_SAMPLES.least).toBeGreaterThanOrEqual(32);
  });
});

describe('a judge of outputs', () => {
  const reference = createReferenceEvaluate();
  afterAll(() => reference.close());

  test.each<[factor: number, expected: number]>([
    [2, Number.POSITIVE_INFINITY],
    // Half of the two outputs has noise at (0.2 / 2)^2 of its power.
    [2.2, 10 * Math.log10(2 / 0.01)],
    [0, 10 * Math.log10(2)],
  ])('w = 2 as %d', async (factor, expected) => {
    for (const varied of [undefined, ['w']]) {
      const judge = outputJudge(linear(2), numbers(40), reference, varied)!;
      expect(await judge(linear(factor))).toBeCloseTo(expected, 3);
    }
  });

  test('graphs that differ in some constants alone share a session, and the original runs once', async () => {
    const runs: Graph[] = [];
    const evaluate: Evaluate = (graph, feeds, fetches) => {
      runs.push(graph);
      return reference.evaluate(graph, feeds, fetches);
    };
    const original = linear(2);
    const judge = outputJudge(original, numbers(40), { evaluate }, ['w'])!;
    for (const factor of [1, 3, 2.5]) await judge(linear(factor));
    expect(runs.filter((graph) => graph === original)).toHaveLength(1);
    expect(new Set(runs).size).toBe(2);
  });

  test('an output without numbers of its own kind cannot judge', () => {
    const builder = new GraphBuilder();
    builder.output(builder.node('ArgMax', [builder.input('x', 'float32', ['N', 2])], { axis: 1 }), 'int64', ['N', 1]);
    expect(outputJudge(builder.build(), numbers(40), reference)).toBeUndefined();
  });
});
