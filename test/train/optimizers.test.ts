import { datasetFromTensors } from '../../lib/data/create-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { adam } from '../../lib/train/adam';
import { cosine, linear, multiStep, oneCycle, SCHEDULES, warmUp } from '../../lib/train/schedules';
import { sgd } from '../../lib/train/sgd';
import { train } from '../../lib/train/train';
import type { TrainOptions } from '../../lib/train/train-options';
import { buildLinear, LINEAR_OPTIONS, type LinearState, regressionData, trainLinear } from './linear-oracle';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const START = toNumbers(buildLinear().initializers.get('w')!);
const RATE = LINEAR_OPTIONS.learningRate;

type Update = (w: number, g: number, memory: { v: number; m: number }, step: number) => number;

/** Every optimiser beside its formula for one weight, in float64. */
const OPTIMIZERS: readonly [name: string, options: Partial<TrainOptions>, update: Update][] = [
  ['plain SGD', { optimizer: sgd({ momentum: 0 }) }, (w, g) => w - RATE * g],
  [
    'SGD with momentum and decay',
    { optimizer: sgd({ weightDecay: 0.2 }) },
    (w, g, memory) => {
      memory.v = 0.9 * memory.v + g + 0.2 * w;
      return w - RATE * memory.v;
    },
  ],
  [
    'Nesterov momentum',
    { optimizer: sgd({ momentum: 0.6, nesterov: true }) },
    (w, g, memory) => {
      memory.v = 0.6 * memory.v + g;
      return w - RATE * (g + 0.6 * memory.v);
    },
  ],
  [
    'Adam',
    { optimizer: adam({ beta1: 0.8, beta2: 0.95 }) },
    (w, g, memory, step) => {
      memory.m = 0.8 * memory.m + 0.2 * g;
      memory.v = 0.95 * memory.v + 0.05 * g * g;
      const mean = memory.m / (1 - 0.8 ** (step + 1));
      return w - (RATE * mean) / (Math.sqrt(memory.v / (1 - 0.95 ** (step + 1))) + 1e-8);
    },
  ],
  [
    'AdamW',
    { optimizer: adam({ weightDecay: 0.3 }) },
    (w, g, memory, step) => {
      memory.m = 0.9 * memory.m + 0.1 * g;
      memory.v = 0.999 * memory.v + 0.001 * g * g;
      const mean = memory.m / (1 - 0.9 ** (step + 1));
      return w - RATE * (mean / (Math.sqrt(memory.v / (1 - 0.999 ** (step + 1))) + 1e-8) + 0.3 * w);
    },
  ],
  [
    'a factor on the rate of one parameter',
    { optimizer: sgd({ momentum: 0 }), rateFactors: new Map([['w', 0.25]]) },
    (w, g) => w - 0.25 * RATE * g,
  ],
];

async function trained(options: Partial<TrainOptions>): Promise<number[]> {
  const result = await train(buildLinear(), regressionData(16), { ...LINEAR_OPTIONS, ...options }, reference.evaluate);
  return toNumbers(result.initializers.get('w')!);
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 4);
  });
}

test.each(OPTIMIZERS)('%s follows its formula', async (_name, options, update) => {
  const state: LinearState = { w: START, step: 0 };
  const memory = START.map(() => ({ v: 0, m: 0 }));
  await trainLinear(
    regressionData(16),
    state,
    () => state.w,
    (gradient, step) => {
      state.w = state.w.map((w, i) => update(w, gradient[i], memory[i], step));
    },
  );
  expectClose(await trained(options), state.w);
});

test('large gradients are scaled down to the norm given, small ones stay', async () => {
  const follow = async (limit: number): Promise<number> => {
    const state: LinearState = { w: START, step: 0 };
    let clipped = 0;
    await trainLinear(
      regressionData(16),
      state,
      () => state.w,
      (gradient) => {
        const norm = Math.hypot(...gradient);
        if (norm > limit) clipped++;
        state.w = state.w.map((w, i) => w - RATE * gradient[i] * Math.min(1, limit / norm));
      },
    );
    expectClose(await trained({ optimizer: sgd({ momentum: 0 }), clipNorm: limit }), state.w);
    return clipped;
  };
  expect(await follow(1.4)).toBeGreaterThan(0);
  expect(await follow(100)).toBe(0);
});

test('the average of the parameters forgets the start soon', async () => {
  const state: LinearState = { w: START, step: 0 };
  let average = START;
  await trainLinear(
    regressionData(16),
    state,
    () => state.w,
    (gradient, step) => {
      state.w = state.w.map((w, i) => w - RATE * gradient[i]);
      const decay = Math.min(0.4, (step + 1) / (step + 10));
      average = average.map((value, i) => decay * value + (1 - decay) * state.w[i]);
    },
  );
  expectClose(await trained({ optimizer: sgd({ momentum: 0 }), emaDecay: 0.4 }), average);
});

test('schedules go where they say', () => {
  expect([0, 0.25, 0.5, 1].map(linear(2))).toEqual([2, 1.5, 1, 0]);
  expect([0, 0.5, 1].map(linear(2, 1))).toEqual([2, 1.5, 1]);
  expect([0, 0.5, 1].map(cosine(2, 1))).toEqual([2, 1.5, 1]);
  expect([0, 0.5, 0.74, 0.75].map(multiStep(1, [0.5, 0.75], 0.5))).toEqual([1, 0.5, 0.5, 0.25]);
  expect([0, 0.1, 0.2, 0.6, 1].map(warmUp(linear(1), 0.2))).toEqual([0, 0.5, 1, 0.5, 0]);
  expect([0, 0.15, 0.3, 1].map(oneCycle(1)).map((rate) => Number(rate.toFixed(6)))).toEqual([0.04, 0.52, 1, 0]);
  for (const [name, schedule] of Object.entries(SCHEDULES))
    for (let progress = 0; progress < 1; progress += 0.01) {
      const rate = schedule(0.1)(progress);
      expect([name, rate >= 0 && rate <= 0.1 + 1e-12]).toEqual([name, true]);
    }
});

test.each([
  ['SGD', sgd({ weightDecay: 0.5 })],
  ['AdamW', adam({ weightDecay: 0.5 })],
])('%s: weights decay, biases do not', async (_, optimizer) => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 2]);
  const w = builder.initializer(tensorFrom('float32', [2, 1], [1, -2]), 'w');
  const b = builder.initializer(tensorFrom('float32', [1], [3]), 'b');
  builder.output(builder.node('Gemm', [x, w, b]), 'float32', ['N', 1]);
  // Nothing comes in and the bias is what is wanted: no gradient.
  const data = datasetFromTensors(
    'zeros',
    new Map([
      ['x', tensorFrom('float32', [4, 2], new Array(8).fill(0))],
      ['target', tensorFrom('float32', [4, 1], new Array(4).fill(3))],
    ]),
  );
  const trained = await train(builder.build(), data, { ...LINEAR_OPTIONS, optimizer }, reference.evaluate);
  expect(toNumbers(trained.initializers.get('b')!)).toEqual([3]);
  const [first, second] = toNumbers(trained.initializers.get('w')!);
  expect(first).toBeLessThan(1);
  expect(second).toBeGreaterThan(-2);
});
