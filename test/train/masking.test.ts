import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { sgd } from '../../lib/train/sgd';
import { train } from '../../lib/train/train';
import type { MaskMoment, TrainOptions } from '../../lib/train/train-options';
import { buildLinear, LINEAR_OPTIONS, type LinearState, regressionData, trainLinear } from './linear-oracle';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const START = [0.5, -0.4, 0.3, 0.2, -0.1, 0.6];
const FIRST = [1, 0, 1, 1, 0, 1];
const SECOND = [0, 1, 1, 1, 0, 0];
const MOMENTUM = 0.5;

const asMask = (values: readonly number[]) => new Map([['w', tensorFrom('float32', [3, 2], values)]]);
const times = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value * b[i]);
const weightsOf = async (options: TrainOptions): Promise<number[]> => {
  const trained = await train(buildLinear(), regressionData(16), options, reference.evaluate);
  return toNumbers(trained.initializers.get('w')!);
};
const expectClose = (found: readonly number[], expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 5);
  });
};

test.each(['frozen', 'dense'] as const)('%s masks, renewed in the middle, do what plain loops do', async (mode) => {
  const moments: MaskMoment[] = [];
  const masks = (moment: MaskMoment) => {
    moments.push(moment);
    return asMask(moment.step < 4 ? FIRST : SECOND);
  };
  const found = await weightsOf({
    ...LINEAR_OPTIONS,
    optimizer: sgd({ momentum: MOMENTUM }),
    masking: { mode, masks: asMask(FIRST), update: { everySteps: 2, masks }, movement: true },
  });

  let mask = FIRST;
  let velocity = START.map(() => 0);
  let scores = START.map(() => 0);
  const state: LinearState = { w: mode === 'frozen' ? times(START, mask) : START, step: 0 };
  const expected: { w: number[]; scores: number[] }[] = [];
  const seen = () => {
    if (state.step % 2 === 0) {
      mask = state.step < 4 ? FIRST : SECOND;
      expected.push({ w: state.w, scores });
      if (mode === 'frozen') [state.w, velocity] = [times(state.w, mask), times(velocity, mask)];
    }
    return times(state.w, mask);
  };
  await trainLinear(regressionData(16), state, seen, (gradient) => {
    scores = scores.map((score, i) => score - state.w[i] * gradient[i]);
    const moving = mode === 'frozen' ? times(gradient, mask) : gradient;
    velocity = velocity.map((v, i) => MOMENTUM * v + moving[i]);
    state.w = state.w.map((w, i) => w - LINEAR_OPTIONS.learningRate * velocity[i]);
  });
  expectClose(found, times(state.w, mask));
  expect(moments.map(({ step, steps }) => [step, steps])).toEqual([
    [0, 8],
    [2, 8],
    [4, 8],
    [6, 8],
  ]);
  moments.forEach(({ weights, scores: seenScores, masks: current }, i) => {
    expectClose(toNumbers(weights.get('w')!), expected[i].w);
    expectClose(toNumbers(seenScores.get('w')!), expected[i].scores);
    expect(toNumbers(current.get('w')!)).toEqual(i < 3 ? FIRST : SECOND);
  });
  // The dense weights behind the mask have moved on.
  if (mode === 'dense') expect(state.w[4]).not.toBeCloseTo(START[4], 3);
});

test('what was masked comes back: from zero when frozen, with its value when dense', async () => {
  const back = (mode: 'frozen' | 'dense', learningRate: number) =>
    weightsOf({
      ...LINEAR_OPTIONS,
      learningRate,
      masking: {
        mode,
        masks: asMask([0, 0, 0, 0, 0, 0]),
        update: { everySteps: 100, masks: () => asMask([1, 1, 1, 1, 1, 1]) },
      },
    });
  expectClose(await back('dense', 0), START);
  expect((await back('frozen', 0)).map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
  expect((await back('frozen', 0.1)).every((value) => value !== 0)).toBe(true);
});

test('a mask of another shape, or of what is not trained, is refused', async () => {
  const masks = new Map([['w', tensorFrom('float32', [6], FIRST)]]);
  await expect(weightsOf({ ...LINEAR_OPTIONS, masking: { mode: 'frozen', masks } })).rejects.toThrow(
    /'w': expected \[3,2\], found \[6\]/,
  );
  const other = new Map([['x', tensorFrom('float32', [3, 2], FIRST)]]);
  const untrained = weightsOf({ ...LINEAR_OPTIONS, masking: { mode: 'dense', masks: other } });
  await expect(untrained).rejects.toThrow(/'x' has a mask and is not trained/);
});
