import fc from 'fast-check';
import { pruneSchedule } from '../../../lib/compress/prune/prune-options';
import { iterativeSparsity, resolveSchedule, sparsityAt } from '../../../lib/compress/prune/schedule';
import { parseOptions } from '../../../lib/core/parse-options';

type Kind = 'constant' | 'polynomial' | 'one-shot' | 'iterative';

function schedule(kind: Kind, given: object, steps = 10_000, sparsity = 0.8) {
  return resolveSchedule(parseOptions(pruneSchedule, given), kind, sparsity, steps);
}

/** The arguments of the example in the documentation of the schedule: 50 % at step 1000 to 80 % at step 2000. */
const EXAMPLE = { initial_sparsity: 0.5, final_sparsity: 0.8, begin_step: 1000, end_step: 2000 };

describe('polynomial', () => {
  // s_f + (s_i - s_f) (1 - (t - t0) / (n dt))^3, worked out by hand.
  test.each([
    [0, 0],
    [999, 0],
    [1000, 0.5],
    [1100, 0.8 - 0.3 * 0.9 ** 3],
    [1150, 0.8 - 0.3 * 0.9 ** 3],
    [1500, 0.8 - 0.3 * 0.125],
    [1900, 0.8 - 0.3 * 0.001],
    [2000, 0.8],
    [9999, 0.8],
  ])('step %i: %f', (step, expected) => {
    expect(sparsityAt(schedule('polynomial', EXAMPLE), step)).toBeCloseTo(expected, 12);
  });

  test('the exponent is free', () => {
    expect(sparsityAt(schedule('polynomial', { ...EXAMPLE, power: 1 }), 1500)).toBeCloseTo(0.65, 12);
  });

  test('without options: from 5 % of the run to 70 %, every 100 steps, from 0 to the sparsity', () => {
    expect(schedule('polynomial', {})).toEqual({
      kind: 'polynomial',
      initialSparsity: 0,
      finalSparsity: 0.8,
      beginStep: 500,
      endStep: 7000,
      frequency: 100,
      power: 3,
    });
  });
});

test.each([
  [0, 0],
  [999, 0],
  [1000, 0.8],
  [5000, 0.8],
])('constant at step %i: %f', (step, expected) => {
  expect(sparsityAt(schedule('constant', EXAMPLE), step)).toBe(expected);
});

test('one-shot is there from the first step', () => {
  expect(sparsityAt(schedule('one-shot', {}), 0)).toBe(0.8);
});

test('iterative rounds keep the same share each', () => {
  const resolved = schedule('iterative', { begin_step: 1000, end_step: 5000 });
  expect(resolved.frequency).toBe(1000);
  const kept = [1000, 2000, 3000, 4000, 5000].map((step) => 1 - sparsityAt(resolved, step));
  for (let round = 1; round < 5; round++) expect(kept[round] / kept[round - 1]).toBeCloseTo(0.2 ** (1 / 5), 9);
  expect(kept[4]).toBeCloseTo(0.2, 12);
  expect(sparsityAt(resolved, 1999)).toBe(sparsityAt(resolved, 1000));
  expect([1, 2, 3].map((round) => iterativeSparsity(0, 0.875, round, 3))).toEqual([0.5, 0.75, 0.875]);
});

test('every schedule rises, ends at the final sparsity within the run, and prunes on multiples of the frequency', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Kind>('constant', 'polynomial', 'iterative'),
      fc.integer({ min: 1, max: 3000 }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.double({ min: 0, max: 0.49, noNaN: true }),
      fc.option(fc.oneof(fc.integer({ min: 1, max: 4000 }), fc.double({ min: 0.01, max: 0.9, noNaN: true }))),
      (kind, steps, begin, length, frequency) => {
        const given = {
          begin_step: begin,
          end_step: begin + length,
          initial_sparsity: 0.3,
          ...(frequency !== null && { frequency }),
        };
        const resolved = schedule(kind, given, steps);
        expect(resolved.beginStep % resolved.frequency).toBe(0);
        expect(resolved.endStep % resolved.frequency).toBe(0);
        expect(resolved.endStep).toBeLessThan(steps);
        expect(sparsityAt(resolved, resolved.endStep)).toBe(0.8);
        let before = 0;
        for (let step = 0; step < steps; step += Math.ceil(steps / 50)) {
          const sparsity = sparsityAt(resolved, step);
          expect(sparsity).toBeGreaterThanOrEqual(before - 1e-12);
          before = sparsity;
        }
      },
    ),
  );
});

test.each([
  [{ begin_step: 0.5, end_step: 0.2 }, /end_step: expected a step from begin_step \(5000\)/],
  [{ end_step: 10_000 }, /below the end of the run \(10000\)/],
])('refuses %j', (given, message) => {
  expect(() => schedule('polynomial', given)).toThrow(message);
});

test.each([
  [{ begin_step: 1.5 }, /begin_step: expected a whole number of steps, or a share below 1, found '1.5'/],
  [{ final_sparsity: 1 }, /final_sparsity: expected a share of zeros from 0 to below 1/],
  [{ frequency: 0 }, /frequency: expected more than 0/],
  [{ final_sparcity: 0.5 }, /unknown option 'final_sparcity'/],
])('options %j are refused', (given, message) => {
  expect(() => parseOptions(pruneSchedule, given)).toThrow(message);
});
