import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom, tensorOf, viewAs } from '../../lib/ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { adam } from '../../lib/train/adam';
import { train } from '../../lib/train/train';
import type { TrainOptions, TrainState } from '../../lib/train/train-options';
import { buildNormalized, buildSmall, bytesOf, clusters } from './small-network';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const OPTIONS: TrainOptions = { epochs: 3, batchSize: 16, learningRate: 0.01, seed: 9 };
const STEPS = 12;

/** Every kind of state at once: Adam, averages, running statistics, dropout, and masks renewed from scores. */
const EVERYTHING: TrainOptions = {
  ...OPTIONS,
  optimizer: adam(),
  emaDecay: 0.9,
  clipNorm: 1,
  masking: {
    mode: 'dense',
    masks: new Map([['second.weight', tensorFrom('float32', [12, 12], new Array<number>(144).fill(1))]]),
    movement: true,
    update: {
      everySteps: 3,
      masks: ({ scores, step }) => {
        const score = viewAs(scores.get('second.weight')!, 'float32');
        const limit = score.toSorted()[step * 6];
        return new Map([
          [
            'second.weight',
            tensorOf(
              'float32',
              [12, 12],
              score.map((value) => (value < limit ? 0 : 1)),
            ),
          ],
        ]);
      },
    },
  },
};

const run = (graph: Graph, options: TrainOptions, dataset: Dataset = clusters(70)) =>
  train(graph, dataset, options, reference.evaluate);

/** States after every step of an undisturbed run, its result, and the graphs that epochs ended with. */
async function undisturbed(graph: Graph, options: TrainOptions) {
  const states: TrainState[] = [];
  const epochs: string[][] = [];
  const save = async (state: TrainState) => void states.push(state);
  const onEpoch = async (_epoch: number, result: Graph) => void epochs.push(bytesOf(result));
  const result = await run(graph, { ...options, checkpoint: { everySteps: 1, save }, onEpoch });
  return { states, epochs, bytes: bytesOf(result) };
}

test('a run that goes on from any step ends with the same bytes', async () => {
  const { states, epochs, bytes } = await undisturbed(buildNormalized(), EVERYTHING);
  expect(states.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
  expect(epochs).toHaveLength(3);
  expect(epochs[2]).toEqual(bytes);
  for (const state of states) {
    // A checkpoint goes through a file: nothing may hang on the objects themselves.
    const copies = [...state.tensors].map(
      ([name, tensor]) => [name, { ...tensor, bytes: tensor.bytes.slice() }] as const,
    );
    const later: string[][] = [];
    const onEpoch = async (_epoch: number, result: Graph) => void later.push(bytesOf(result));
    const resume = { step: state.step, tensors: new Map(copies) };
    expect(bytesOf(await run(buildNormalized(), { ...EVERYTHING, resume, onEpoch }))).toEqual(bytes);
    expect(later).toEqual(epochs.slice(Math.floor(state.step / 4)));
  }
});

test('progress goes on where it was, with the time left of this run alone', async () => {
  const { states } = await undisturbed(buildSmall(), OPTIONS);
  let nowMs = 0;
  const seen: (number | undefined)[][] = [];
  await run(buildSmall(), {
    ...OPTIONS,
    resume: states[8],
    clock: () => nowMs,
    onProgress: ({ step, epoch, etaS }) => {
      seen.push([step, epoch, etaS]);
      nowMs += 1000;
    },
  });
  expect(seen).toEqual([
    [10, 2, 0],
    [11, 2, 0.5],
    [12, 2, 0],
  ]);
});

test('the state of another run is refused by name', async () => {
  const { states } = await undisturbed(buildSmall(), OPTIONS);
  const resume = states[0];
  await expect(run(buildSmall(), { ...OPTIONS, optimizer: adam(), resume })).rejects.toMatchObject({
    code: 'E_CHECKPOINT',
    message: expect.stringContaining("'first.weight.mean': expected [6,12], found nothing"),
  });
});

test('dropout drops anew in every step, as the seed says', async () => {
  const [first, again, other] = await Promise.all(
    [9, 9, 10].map(async (seed) => bytesOf(await run(buildNormalized(), { ...OPTIONS, seed, epochs: 1 }))),
  );
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test('a dataset that shrinks while it is read ends training', async () => {
  const dataset = clusters(70);
  let epoch = 0;
  const shrinking: Dataset = {
    ...dataset,
    async *batches(options) {
      const left = epoch++ === 0 ? dataset : dataset.select(Array.from({ length: 40 }, (_, i) => i));
      yield* left.batches(options);
    },
  };
  const running = run(buildSmall(), OPTIONS, shrinking);
  await expect(running).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
  await expect(running).rejects.toThrow(/expected 70 samples in memory, found 32/);
});

test('a loss that is not finite ends training with the step', async () => {
  const running = run(buildSmall(), { ...OPTIONS, learningRate: 1e30 });
  await expect(running).rejects.toMatchObject({ code: 'E_TRAINING', hint: expect.stringContaining('learning rate') });
  await expect(running).rejects.toThrow(/step \d+: the loss is (NaN|Infinity)/);
});

test('arrays and labels that do not fit are named', async () => {
  const labels = {
    ...clusters(70),
    async *batches(options: Parameters<Dataset['batches']>[0]) {
      for await (const batch of clusters(70).batches(options))
        yield { ...batch, labels: batch.labels!.map((label) => label + 1) };
    },
  };
  await expect(run(buildSmall(), OPTIONS, labels)).rejects.toThrow(/expected labels from 0 to 2, found a label 3/);
  const none = {
    ...clusters(70),
    async *batches(options: Parameters<Dataset['batches']>[0]) {
      for await (const { count, inputs } of clusters(70).batches(options)) yield { count, inputs, labels: undefined };
    },
  };
  await expect(run(buildSmall(), OPTIONS, none)).rejects.toThrow(/expected labelled samples/);
  const schedules = new Map([['temperature', () => 1]]);
  await expect(run(buildSmall(), { ...OPTIONS, schedules })).rejects.toMatchObject({ code: 'E_LOSS' });
});
