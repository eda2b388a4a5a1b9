import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom, tensorOf, viewAs } from '../../lib/ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { adam } from '../../lib/train/adam';
import type { RescueEvent } from '../../lib/train/rescue';
import { train } from '../../lib/train/train';
import type { TrainOptions, TrainState } from '../../lib/train/train-options';
import { buildSmall, bytesOf, clusters } from './small-network';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const OPTIONS: TrainOptions = { epochs: 8, batchSize: 16, learningRate: 0.05, seed: 9 };
const PER_EPOCH = 4;
const BLOW_UP = 1e30;

interface Run {
  readonly graph: Graph;
  readonly events: readonly RescueEvent[];
  readonly losses: readonly number[];
  readonly states: readonly TrainState[];
}

async function run(options: TrainOptions, dataset: Dataset = clusters(70)): Promise<Run> {
  const [events, losses, states]: [RescueEvent[], number[], TrainState[]] = [[], [], []];
  const graph = await train(
    buildSmall(),
    dataset,
    {
      ...options,
      onRescue: (event) => void events.push(event),
      onProgress: ({ loss }) => void losses.push(loss),
      checkpoint: { everySteps: 1, save: async (state) => void states.push(state) },
    },
    reference.evaluate,
  );
  return { graph, events, losses, states };
}

/** A rate that is far too large in one step (from 1), whatever factor it is multiplied by. */
const spikeAt = (step: number) => (progress: number) =>
  Math.round(progress * OPTIONS.epochs * PER_EPOCH) === step - 1 ? BLOW_UP : 0.05;

const finite = (graph: Graph) =>
  [...graph.initializers.values()].every((tensor) => viewAs(tensor, 'float32').every(Number.isFinite));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('training that diverges', () => {
  test('at once: goes on from the start at lower rates until it works', async () => {
    const { graph, events, losses } = await run({ ...OPTIONS, learningRate: 1e3 });
    expect(events.length).toBeGreaterThan(0);
    events.forEach(({ from, rateFactor }, index) => {
      expect([from, rateFactor]).toEqual([0, 0.25 ** (index + 1)]);
    });
    expect(finite(graph)).toBe(true);
    expect(mean(losses.slice(-4))).toBeLessThan(0.5 * losses[0]);
  });

  test.each([
    [3, 0],
    [21, 20],
    [30, 20],
  ])('at step %d: goes on from step %d', async (spike, from) => {
    const { graph, events, losses } = await run({ ...OPTIONS, learningRate: spikeAt(spike) });
    expect(events).toEqual([{ step: expect.any(Number), from, rateFactor: 0.25 }]);
    expect(finite(graph)).toBe(true);
    expect(losses.filter((loss) => !Number.isFinite(loss))).toHaveLength(1);
    expect(losses.at(-1)).toBeLessThan(losses[0]);
  });

  test('in the last step of an epoch: the weights are looked at, not only the loss', async () => {
    const { graph, events } = await run({ ...OPTIONS, learningRate: spikeAt(32), optimizer: adam() });
    const plain = await run({ ...OPTIONS, learningRate: 0.05, optimizer: adam() });
    expect(finite(graph)).toBe(true);
    // A step of Adam is finite, however large.
    expect(events).toEqual([]);
    expect(plain.events).toEqual([]);
    const last = await run({
      ...OPTIONS,
      learningRate: (progress) => (spikeAt(32)(progress) === BLOW_UP ? 1e60 : 0.05),
    });
    expect(last.events).toEqual([{ step: 32, from: 20, rateFactor: 0.25 }]);
    expect(finite(last.graph)).toBe(true);
  });

  test('a run that goes on from any step ends with the same bytes', async () => {
    const options = { ...OPTIONS, learningRate: spikeAt(24), emaDecay: 0.9 };
    const { graph, events, states } = await run(options);
    for (const at of [10, 20, 21, 22, 23, 24, 25, 31]) {
      const { step, tensors } = states[at - 1];
      const copies = [...tensors].map(([name, tensor]) => [name, { ...tensor, bytes: tensor.bytes.slice() }] as const);
      const again = await run({ ...options, resume: { step, tensors: new Map(copies) } });
      expect(bytesOf(again.graph)).toEqual(bytesOf(graph));
      expect(again.events).toEqual(events);
    }
  });

  test('masks stay what they have become', async () => {
    const mask = (zeros: number): ReadonlyMap<string, Tensor> =>
      new Map([
        [
          'second.weight',
          tensorFrom(
            'float32',
            [3, 12],
            Array.from({ length: 36 }, (_, at) => Number(at >= zeros)),
          ),
        ],
      ]);
    for (const mode of ['frozen', 'dense'] as const) {
      const masking = { mode, masks: mask(0), update: { everySteps: 22, masks: () => mask(18) } };
      const { graph, events } = await run({ ...OPTIONS, learningRate: spikeAt(28), masking });
      expect(events).toMatchObject([{ from: 20 }]);
      const zeros = viewAs(graph.initializers.get('second.weight')!, 'float32').filter((weight) => weight === 0);
      expect(zeros).toHaveLength(18);
    }
  });

  test('at every rate: an error with the step and the last rate', async () => {
    const running = run({ ...OPTIONS, learningRate: 1e30 });
    await expect(running).rejects.toMatchObject({ code: 'E_TRAINING' });
    await expect(running).rejects.toThrow(/the loss is (NaN|Infinity), also at 0\.00097\d* of the learning rate/);
  });

  test('before any weight has moved: no rate is tried', async () => {
    const graph = buildSmall();
    const broken = {
      ...graph,
      initializers: new Map(graph.initializers).set(
        'first.bias',
        tensorFrom('float32', [12], new Array<number>(12).fill(Number.NaN)),
      ),
    };
    const events: RescueEvent[] = [];
    const running = train(
      broken,
      clusters(70),
      { ...OPTIONS, onRescue: (event) => void events.push(event) },
      reference.evaluate,
    );
    await expect(running).rejects.toThrow(/step 1: the loss is NaN$/);
    expect(events).toEqual([]);
  });

  test('samples that are not finite are named', async () => {
    const dataset = clusters(70);
    const broken: Dataset = {
      ...dataset,
      async *batches(options) {
        let index = options.skip ?? 0;
        for await (const batch of dataset.batches(options)) {
          const x = viewAs(batch.inputs.get('x')!, 'float32').slice();
          if (index++ === 2) x[0] = Number.NaN;
          yield { ...batch, inputs: new Map([['x', tensorOf('float32', batch.inputs.get('x')!.dims, x)]]) };
        }
      },
    };
    await expect(run(OPTIONS, broken)).rejects.toThrow(/step 3: samples of 'x' hold values that are not finite/);
  });
});
