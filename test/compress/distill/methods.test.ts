import { distill } from '../../../lib/compress/distill/distill';
import { finetune } from '../../../lib/compress/distill/finetune';
import { initialiseWeights } from '../../../lib/compress/distill/initialise-weights';
import { teacherInput, withTeacher } from '../../../lib/compress/distill/with-teacher';
import type { Method, MethodContext } from '../../../lib/compress/method';
import { parseOptions } from '../../../lib/core/parse-options';
import { Rng } from '../../../lib/core/rng';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Evaluate, Graph } from '../../../lib/ir/graph';
import { tensorFrom, tensorOf, toNumbers, viewAs } from '../../../lib/ir/tensor';
import { inferShapes } from '../../../lib/passes/infer-shapes';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { heNormal } from '../../../lib/train/initialise';
import { random } from '../../ops/draw';
import { datasetOf } from '../../train/digits';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());
const evaluate: Evaluate = (graph, feeds, fetches) => reference.evaluate(graph, feeds, fetches);

/** 6 features, hidden units, 3 classes. */
function buildNet(units: number, seed: number): Graph {
  const rng = new Rng(seed);
  const builder = new GraphBuilder({ name: `net${units}` });
  const x = builder.input('x', 'float32', ['N', 6]);
  const first = builder.initializer(heNormal(rng, [units, 6]), 'first');
  const scale = ['scale', 'shift', 'mean', 'variance'].map((name, index) =>
    builder.initializer(random([units], 0.5, 1.5, index + seed), name),
  );
  const sums = builder.node('Gemm', [x, first], { transB: 1 }, { name: 'layer1' });
  const normal = builder.node('BatchNormalization', [sums, ...scale], {}, { name: 'norm1' });
  const second = builder.initializer(heNormal(rng, [units, 3], 'in-out'), 'second');
  builder.output(
    builder.node('MatMul', [builder.node('Relu', [normal]), second], {}, { name: 'layer2', outputs: ['y'] }),
  );
  return inferShapes(builder.build()).graph;
}

/** Points around zero; their labels mean nothing. */
function samples(count: number): Dataset {
  const rng = new Rng(9);
  return datasetOf(
    Float32Array.from({ length: count * 6 }, () => rng.normal()),
    [6],
    new Int32Array(count),
  );
}

const TEACHER = buildNet(12, 5);

async function scoresOf(graph: Graph): Promise<Float32Array> {
  for await (const { inputs } of samples(200).batches({ size: 200 }))
    return viewAs((await evaluate(graph, inputs, ['y'])).get('y')!, 'float32');
  throw new Error('no samples');
}

/** Share of points on which the classes are those of the teacher. */
async function agreement(graph: Graph): Promise<number> {
  const [own, other] = [await scoresOf(graph), await scoresOf(TEACHER)];
  const best = (scores: Float32Array, n: number) => {
    const row = scores.subarray(n * 3, n * 3 + 3);
    return row.indexOf(Math.max(...row));
  };
  return Array.from({ length: 200 }, (_, n) => Number(best(own, n) === best(other, n))).reduce((a, b) => a + b) / 200;
}

function contextOf(parts: Partial<MethodContext> = {}): MethodContext {
  const training = samples(200);
  return {
    data: { training, calibration: training, validation: training },
    evaluate,
    score: agreement,
    teacher: TEACHER,
    seed: 1,
    keep: new Set(),
    target: { isa: 'ref' },
    ...parts,
  };
}

function apply<Options>(method: Method<Options>, graph: Graph, options: object, context: MethodContext) {
  return method.apply(graph, parseOptions(method.options, options) as Options, context);
}

// Students that have learned nothing yet move far.
const FAST = { clipShare: 1, epochs: 20, batchSize: 20, learningRate: 0.05, labels: 'ignore' };

test('a student of another width learns what the teacher says', async () => {
  const student = buildNet(20, 6);
  const { graph, decisions, report } = await apply(distill, student, FAST, contextOf());
  expect(await agreement(student)).toBeLessThan(0.7);
  expect(await agreement(graph)).toBeGreaterThan(0.85);
  expect(decisions).toHaveLength(3);
  expect(decisions[0]).toEqual({
    layer: 'layer1',
    treatment: 'trained for 20 epochs',
    reason: 'the float model as teacher (logits)',
  });
  expect(report).toEqual({ epochs: 20, teacher: null, initialised: false });
});

test('another network teaches when it is named', async () => {
  const teachers = new Map([['large', TEACHER]]);
  const context = contextOf({ teacher: buildNet(4, 11), teachers });
  const { graph } = await apply(distill, buildNet(20, 6), { ...FAST, teacher: 'large', initialise: true }, context);
  expect(await agreement(graph)).toBeGreaterThan(0.85);
  await expect(apply(distill, TEACHER, { teacher: 'lage' }, context)).rejects.toThrow(
    /one of large \(such as 'large'\)/,
  );
  await expect(apply(distill, TEACHER, { teacher: 'large' }, contextOf())).rejects.toThrow(
    /no other network was given/,
  );
  await expect(apply(distill, TEACHER, { distillation: { mode: 'off' } }, context)).rejects.toThrow(/finetune/);
});

test('finetune keeps what must stay, and refuses quantized networks', async () => {
  const student = buildNet(12, 6);
  const { graph, decisions } = await apply(finetune, student, FAST, contextOf({ keep: new Set(['layer2']) }));
  expect(await agreement(graph)).toBeGreaterThan(await agreement(student));
  expect(graph.initializers.get('second')).toEqual(student.initializers.get('second'));
  expect(graph.initializers.get('first')).not.toEqual(student.initializers.get('first'));
  expect(decisions.map(({ treatment }) => treatment)).toEqual([
    'trained for 20 epochs',
    'trained for 20 epochs',
    'left alone',
  ]);
  const builder = new GraphBuilder({ from: student });
  builder.node('QuantizeLinear', ['y', builder.initializer(tensorFrom('float32', [], [1]))]);
  await expect(apply(finetune, builder.build(), {}, contextOf())).rejects.toThrow(/quantized already/);
});

test('finetune says when no epoch was better than the start', async () => {
  const steps = { ...FAST, epochs: 1, learningRate: 1e-9 };
  const start = contextOf();
  let calls = 0;
  const context = { ...start, score: async () => -calls++ };
  const { graph, decisions, report } = await apply(finetune, TEACHER, steps, context);
  expect(graph).toBe(TEACHER);
  expect(report).toEqual({ epochs: 1, kept: true });
  expect(decisions[0]).toMatchObject({
    treatment: 'left as it was',
    reason: 'trained for 1 epoch, it never scored higher',
  });
});

test('initial weights keep zeros and named nodes, and forget the rest', () => {
  const net = buildNet(8, 6);
  const pruned = tensorOf(
    'float32',
    [8, 6],
    viewAs(net.initializers.get('first')!, 'float32').map((w, i) => (i % 3 === 0 ? 0 : w)),
  );
  const start = { ...net, initializers: new Map([...net.initializers, ['first', pruned]]) };
  const fresh = initialiseWeights(start, 3, new Set(['layer2']));
  const values = (name: string) => toNumbers(fresh.initializers.get(name)!);
  expect(values('first').map((weight) => weight === 0)).toEqual(toNumbers(pruned).map((weight) => weight === 0));
  expect(values('first')).not.toEqual(toNumbers(pruned));
  expect(['scale', 'shift', 'mean', 'variance'].map((name) => values(name)[0])).toEqual([1, 0, 0, 1]);
  expect(fresh.initializers.get('second')).toBe(net.initializers.get('second'));
  expect(initialiseWeights(start, 3, new Set(['layer2']))).toEqual(fresh);
});

test('batches carry values of the teacher unless they have them already', async () => {
  const values = new Map([['y', [3]]]);
  const dataset = withTeacher(samples(10), TEACHER, values, evaluate);
  const seen: number[] = [];
  for await (const { inputs, count } of dataset.select([1, 4, 7]).batches({ size: 2 })) {
    const carried = inputs.get(teacherInput('y'))!;
    expect(carried.dims).toEqual([count, 3]);
    seen.push(...toNumbers(carried));
  }
  const all = [...(await scoresOf(TEACHER))];
  [1, 4, 7].forEach((index, at) => {
    for (let c = 0; c < 3; c++) expect(seen[at * 3 + c]).toBeCloseTo(all[index * 3 + c], 5);
  });
  const known = { ...samples(10), inputs: new Map([[teacherInput('y'), { type: 'float32', dims: [3] } as const]]) };
  expect(withTeacher(known, TEACHER, values, evaluate)).toBe(known);
  const other = withTeacher(
    { ...datasetOf(new Float32Array(2), [1], new Int32Array(2)) },
    { ...TEACHER, inputs: ['z'] },
    values,
    evaluate,
  );
  await expect(other.batches({ size: 1 })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'E_DATA_MISMATCH',
  });
});
