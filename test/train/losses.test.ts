import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { buildGradients, forEachGradient } from '../../lib/train/gradient-pass';
import {
  binaryCrossEntropy,
  crossEntropy,
  klDivergence,
  type LossBuilder,
  meanSquaredError,
  softCrossEntropy,
  weightedSum,
} from '../../lib/train/losses';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const [N, C] = [4, 3];
const rng = new Rng(8);
const LOGITS = Array.from({ length: N * C }, () => 2 * rng.normal());
const TARGET = Array.from({ length: N * C }, () => rng.uniform());
const CLASSES = [2, 0, 1, 2];

/** A model that hands its input on, through more nodes when `tail` adds some. */
function model(tail: (builder: GraphBuilder, value: string) => string = (_, value) => value): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', C]);
  const output = tail(builder, builder.node('Identity', [x], {}, { outputs: ['inner'] }));
  builder.output(builder.node('Identity', [output]), 'float32', ['N', C]);
  return builder.build();
}

const rowsOf = (values: readonly number[]) => Array.from({ length: N }, (_, row) => values.slice(row * C, row * C + C));
const logSoftmax = (row: readonly number[]) => {
  const sum = Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
  return row.map((value) => value - sum);
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);

const hard = (x: readonly number[]) => mean(rowsOf(x).map((row, n) => -logSoftmax(row)[CLASSES[n]]));
const squared = (x: readonly number[]) => mean(x.map((value, i) => (value - TARGET[i]) ** 2));

/** Every loss beside its formula, in float64. */
const LOSSES: readonly [name: string, loss: LossBuilder, formula: (x: readonly number[]) => number][] = [
  ['cross-entropy', crossEntropy(), hard],
  [
    'smoothed cross-entropy',
    crossEntropy({ labelSmoothing: 0.2 }),
    (x) =>
      mean(
        rowsOf(x).map(
          (row, n) =>
            -dot(
              logSoftmax(row),
              row.map((_, c) => 0.8 * Number(c === CLASSES[n]) + 0.2 / C),
            ),
        ),
      ),
  ],
  [
    'soft cross-entropy',
    softCrossEntropy('target'),
    (x) => mean(rowsOf(x).map((row, n) => -dot(logSoftmax(row), rowsOf(TARGET)[n]))),
  ],
  [
    'KL divergence at a temperature',
    klDivergence({ target: 'target', temperature: 3 }),
    (x) => {
      const soften = (row: readonly number[]) => logSoftmax(row.map((value) => value / 3));
      const each = rowsOf(x).map((row, n) => {
        const [student, teacher] = [soften(row), soften(rowsOf(TARGET)[n])];
        return dot(
          teacher.map(Math.exp),
          teacher.map((value, c) => value - student[c]),
        );
      });
      return 9 * mean(each);
    },
  ],
  ['cross-entropy of logits by a scale', crossEntropy({ logitScale: 5 }), (x) => hard(x.map((value) => value / 5))],
  [
    'KL divergence of logits by a scale each',
    klDivergence({ target: 'target', temperature: 2, scales: { student: 5, teacher: 7 } }),
    (x) => {
      const each = rowsOf(x).map((row, n) => {
        const student = logSoftmax(row.map((value) => value / 10));
        const teacher = logSoftmax(rowsOf(TARGET)[n].map((value) => value / 14));
        return dot(
          teacher.map(Math.exp),
          teacher.map((value, c) => value - student[c]),
        );
      });
      return 4 * mean(each);
    },
  ],
  ['squared error', meanSquaredError({ target: 'target' }), squared],
  ['squared error of an inner value', meanSquaredError({ value: 'inner', target: 'target' }), squared],
  [
    'binary cross-entropy',
    binaryCrossEntropy('target'),
    (x) => mean(x.map((z, i) => Math.log1p(Math.exp(z)) - z * TARGET[i])),
  ],
  [
    'weighted sum',
    weightedSum([
      { loss: crossEntropy(), weight: 0.25 },
      { loss: crossEntropy(), weight: 'share' },
      { loss: meanSquaredError({ target: 'target' }), weight: 2 },
    ]),
    (x) => 0.75 * hard(x) + 2 * squared(x),
  ],
];

const FEEDS = new Map<string, Tensor>([
  ['x', tensorFrom('float32', [N, C], LOGITS)],
  ['target', tensorFrom('float32', [N, C], TARGET)],
  ['labels', tensorFrom('int32', [N], CLASSES)],
  ['share', tensorFrom('float32', [], [0.5])],
]);

/** Loss and its gradient with respect to the input. */
async function measure(graph: Graph, loss: LossBuilder): Promise<[number, number[]]> {
  const built = buildGradients(graph, { loss, wanted: ['x'] }, N);
  const feeds = new Map([...FEEDS].filter(([name]) => built.graph.inputs.includes(name)));
  const results = await reference.evaluate(built.graph, feeds, built.graph.outputs);
  const [value, gradient] = built.graph.outputs.map((name) => toNumbers(results.get(name)!));
  return [value[0], gradient];
}

/** Central differences in float64. */
function slopes(formula: (x: readonly number[]) => number): number[] {
  return LOGITS.map((_, i) => {
    const at = (step: number) => formula(LOGITS.map((value, k) => (k === i ? value + step : value)));
    return (at(1e-5) - at(-1e-5)) / 2e-5;
  });
}

test.each(LOSSES)('%s has the value and the slope of its formula', async (_name, loss, formula) => {
  const [value, gradient] = await measure(model(), loss);
  expect(value).toBeCloseTo(formula(LOGITS), 5);
  slopes(formula).forEach((slope, i) => {
    expect(gradient[i]).toBeCloseTo(slope, 5);
  });
});

const shape = tensorFrom('int64', [4], [-1, C, 1, 1]);
test.each<[string, Parameters<typeof model>[0]]>([
  ['a Softmax', (builder, value) => builder.node('Softmax', [value], { axis: 1 })],
  ['a LogSoftmax', (builder, value) => builder.node('LogSoftmax', [value])],
  [
    'a Softmax over channels and a Flatten',
    (builder, value) => {
      const picture = builder.node('Reshape', [value, builder.initializer(shape)]);
      return builder.node('Flatten', [builder.node('Softmax', [picture], { axis: 1 })]);
    },
  ],
])('cross-entropy looks behind %s', async (_name, tail) => {
  const [value, gradient] = await measure(model(tail), crossEntropy());
  expect(value).toBeCloseTo(hard(LOGITS), 5);
  slopes(hard).forEach((slope, i) => {
    expect(gradient[i]).toBeCloseTo(slope, 5);
  });
});

test('a binary loss looks behind a Sigmoid; a Softmax over samples is refused', async () => {
  const [name, loss, formula] = LOSSES.find(([each]) => each === 'binary cross-entropy')!;
  const tailed = new GraphBuilder();
  const x = tailed.input('x', 'float32', ['N', C]);
  tailed.output(tailed.node('Sigmoid', [x]), 'float32', ['N', C]);
  const graph = tailed.build();
  expect([name, (await measure(graph, loss))[0]]).toEqual([name, expect.closeTo(formula(LOGITS), 5)]);
  await expect(measure(graph, crossEntropy())).rejects.toThrow(/logits.*Sigmoid/);
  const overSamples = model((builder, value) => builder.node('Softmax', [value], { axis: 0 }));
  await expect(measure(overSamples, crossEntropy())).rejects.toMatchObject({ code: 'E_LOSS' });
  const named = meanSquaredError({ target: 'x' });
  await expect(
    measure(
      model(),
      weightedSum([
        { loss: named, weight: 1 },
        { loss: softCrossEntropy('inner'), weight: 1 },
      ]),
    ),
  ).rejects.toThrow(/'inner'/);
});

test('gradients come batch by batch, the short last one too, of inputs and inner values', async () => {
  const arrays = new Map(['x', 'target'].map((name) => [name, FEEDS.get(name)!]));
  const dataset = datasetFromTensors('memory', arrays);
  const found = new Map<string, number[]>([
    ['x', []],
    ['inner', []],
  ]);
  const counts: number[] = [];
  const options = { loss: meanSquaredError({ target: 'target' }), wanted: ['x', 'inner'], batchSize: 3 };
  await forEachGradient(model(), dataset, options, reference.evaluate, (gradients, count) => {
    counts.push(count);
    for (const [name, gradient] of gradients) found.get(name)!.push(...toNumbers(gradient));
  });
  expect(counts).toEqual([3, 1]);
  const expected = LOGITS.map((value, i) => (2 * (value - TARGET[i])) / (C * (i < 3 * C ? 3 : 1)));
  for (const gradient of found.values())
    gradient.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 5);
    });
  const wanted = { ...options, wanted: ['nowhere'] };
  await expect(forEachGradient(model(), dataset, wanted, reference.evaluate, () => {})).rejects.toMatchObject({
    code: 'E_OPERATOR_UNSUPPORTED',
  });
  const signal = AbortSignal.abort();
  await expect(
    forEachGradient(model(), dataset, { ...options, signal }, reference.evaluate, () => {}),
  ).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
});
