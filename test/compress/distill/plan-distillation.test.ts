import { distillationOptions } from '../../../lib/compress/distill/distill-options';
import { planDistillation } from '../../../lib/compress/distill/plan-distillation';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Graph } from '../../../lib/ir/graph';
import { type Tensor, tensorFrom } from '../../../lib/ir/tensor';
import { toDense } from '../../../lib/ops/dense';
import { bindShapes, inferShapes } from '../../../lib/passes/infer-shapes';
import { createEmitter } from '../../../lib/train/emitter';
import { random } from '../../ops/draw';
import { evaluateGraph } from '../../ops/evaluate-graph';

/** Decimal digits compared: constants of the loss, such as 1/3, are float32. */
const DIGITS = 6;
/** Samples of a batch. */
const N = 3;

interface NetOptions {
  /** Channels of the inner value. */
  readonly channels?: number;
  readonly classes?: number;
  readonly end?: 'Softmax' | 'Sigmoid' | 'none';
  readonly inner?: string;
  readonly places?: number;
}

/** Convolution with the value `inner`, pooling, classes; the input is `[N, 2, 4, 4]`. */
function buildNet({ channels = 3, classes = 4, end = 'none', inner = 'inner', places = 3 }: NetOptions = {}): Graph {
  const builder = new GraphBuilder({ name: `net${channels}` });
  const x = builder.input('x', 'float32', ['N', 2, 4, 4]);
  const extent = 5 - places;
  const kernel = builder.initializer(random([channels, 2, extent, extent], -1, 1, channels), 'kernel');
  const made = builder.node('Conv', [x, kernel], { kernel_shape: [extent, extent] }, { outputs: [inner] });
  const pooled = builder.node('Flatten', [builder.node('GlobalAveragePool', [made])]);
  const matrix = builder.initializer(random([classes, channels], -1, 1, 7), 'matrix');
  const logits = builder.node('Gemm', [pooled, matrix], { transB: 1 }, { outputs: ['logits'] });
  builder.output(end === 'none' ? logits : builder.node(end, [logits], end === 'Softmax' ? { axis: 1 } : {}));
  return inferShapes(builder.build()).graph;
}

type Row = readonly number[];

/** Values of the loss, and all that it is made of, in float64. */
function lossOf(
  student: Graph,
  teacher: Graph,
  options: object,
  labels: readonly number[] | undefined,
  scalars: Readonly<Record<string, number>> = {},
) {
  const plan = planDistillation(student, teacher, distillationOptions.parse(options), {
    labels: labels !== undefined,
    seed: 1,
  });
  const bound = inferShapes(bindShapes(plan.graph, { N })).graph;
  const emit = createEmitter(bound);
  const loss = plan.loss(emit, bound.outputs);
  const step = emit.build([loss]);
  const arrays = new Map<string, Tensor>([['x', random([N, 2, 4, 4], -2, 2, 3)]]);
  for (const [value, dims] of plan.values) arrays.set(`teacher.${value}`, random([N, ...dims], -2, 2, value.length));
  if (labels) arrays.set('labels', tensorFrom('int32', [N], labels));
  for (const [name, value] of Object.entries(scalars)) arrays.set(name, tensorFrom('float32', [], [value]));
  const values = evaluateGraph(
    step,
    new Map([...arrays].map(([name, tensor]) => [name, toDense(tensor, 'float64')])),
    'float64',
  );
  const rows = (name: string): Row[] => {
    const { data } = values.get(name)!;
    const size = data.length / N;
    return Array.from({ length: N }, (_, n) => [...data.slice(n * size, (n + 1) * size)].map(Number));
  };
  return { loss: Number(values.get(loss)!.data[0]), rows, plan, inputs: step.inputs };
}

const mean = (values: Row) => values.reduce((sum, value) => sum + value, 0) / values.length;

function softmax(row: Row, temperature = 1): number[] {
  const powers = row.map((value) => Math.exp(value / temperature));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((power) => power / total);
}

function softTargets(student: readonly Row[], teacher: readonly Row[], temperature: number): number {
  const divergence = (s: Row, t: Row) => t.reduce((sum, p, c) => sum + p * Math.log(p / s[c]), 0);
  return (
    temperature ** 2 *
    mean(student.map((row, n) => divergence(softmax(row, temperature), softmax(teacher[n], temperature))))
  );
}

const crossEntropy = (rows: readonly Row[], labels: readonly number[]) =>
  mean(rows.map((row, n) => -Math.log(softmax(row)[labels[n]])));
const squares = (a: readonly Row[], b: readonly Row[]) =>
  mean(a.flatMap((row, n) => row.map((value, i) => (value - b[n][i]) ** 2)));

/** Sum of squares over the channels at every place, divided by its norm. */
function attention(rows: readonly Row[], places: number): number[][] {
  return rows.map((row) => {
    const energy = Array.from({ length: places }, (_, place) =>
      row.reduce((sum, value, i) => sum + (i % places === place ? value ** 2 : 0), 0),
    );
    const norm = Math.hypot(...energy);
    return energy.map((value) => value / norm);
  });
}

const LABELS = [3, 0, 1];

describe('the loss', () => {
  test.each(['none', 'Softmax'] as const)('weighs labels and soft targets (end: %s)', (end) => {
    const { loss, rows } = lossOf(
      buildNet({ end }),
      buildNet({ channels: 5, end }),
      { temperature: 3, alpha: 0.6 },
      LABELS,
    );
    const [student, teacher] = [rows('logits'), rows('teacher.logits')];
    expect(loss).toBeCloseTo(0.4 * crossEntropy(student, LABELS) + 0.6 * softTargets(student, teacher, 3), DIGITS);
  });

  test.each([
    ['without labels', {}, undefined],
    ['of soft labels', { mode: 'soft-labels' }, LABELS],
    ['with alpha 1', { alpha: 1 }, LABELS],
    ['of two stages without labels', { mode: 'two-stage' }, undefined],
  ])('%s is that of the teacher', (_, options, labels) => {
    const { loss, rows, inputs } = lossOf(buildNet(), buildNet(), { temperature: 2, ...options }, labels);
    expect(loss).toBeCloseTo(softTargets(rows('logits'), rows('teacher.logits'), 2), DIGITS);
    expect(inputs).not.toContain('labels');
  });

  test('of two stages goes from teacher to labels in the middle', () => {
    const run = (scalars: Record<string, number>) =>
      lossOf(buildNet(), buildNet(), { mode: 'two-stage' }, LABELS, scalars);
    const [first, second] = [1, 0].map((on) => run({ 'distillation.teacher': on, 'distillation.labels': 1 - on }));
    expect(first.loss).toBeCloseTo(softTargets(first.rows('logits'), first.rows('teacher.logits'), 4), DIGITS);
    expect(second.loss).toBeCloseTo(crossEntropy(second.rows('logits'), LABELS), DIGITS);
    const at = (progress: number) => [...first.plan.schedules].map(([name, schedule]) => [name, schedule(progress)]);
    expect(at(0.49)).toEqual([
      ['distillation.teacher', 1],
      ['distillation.labels', 0],
    ]);
    expect(at(0.5)).toEqual([
      ['distillation.teacher', 0],
      ['distillation.labels', 1],
    ]);
  });

  test('adds hints: directly, and through a learned layer where widths differ', () => {
    const hints = [{ student: 'inner', teacher: 'inner', weight: 2 }];
    const same = lossOf(buildNet(), buildNet(), { hints }, undefined);
    const soft = (run: typeof same) => softTargets(run.rows('logits'), run.rows('teacher.logits'), 4);
    expect(same.loss - soft(same)).toBeCloseTo(squares(same.rows('inner'), same.rows('teacher.inner')), DIGITS);
    expect(same.plan.regressors).toEqual([]);

    const wider = lossOf(buildNet(), buildNet({ channels: 5 }), { hints }, undefined);
    const widened = wider.plan.graph.nodes.at(-1)!;
    expect([widened.op, widened.inputs]).toEqual(['Conv', ['inner', ...wider.plan.regressors]]);
    expect(wider.loss - soft(wider)).toBeCloseTo(
      squares(wider.rows(widened.outputs[0]), wider.rows('teacher.inner')),
      DIGITS,
    );
  });

  test('adds maps of attention', () => {
    const pair = { student: 'inner', teacher: 'inner', weight: 10 };
    const run = lossOf(buildNet(), buildNet({ channels: 5 }), { attention: [pair] }, undefined);
    const [own, other] = [run.rows('inner'), run.rows('teacher.inner')].map((rows) => attention(rows, 9));
    expect(run.loss - softTargets(run.rows('logits'), run.rows('teacher.logits'), 4)).toBeCloseTo(
      10 * squares(own, other),
      DIGITS,
    );
  });

  test('compares values where the output holds no classes', () => {
    for (const net of [buildNet({ end: 'Sigmoid' }), buildNet({ classes: 1 })]) {
      const run = lossOf(net, net, {}, undefined);
      const [output] = net.outputs;
      expect(run.loss).toBeCloseTo(squares(run.rows(output), run.rows(`teacher.${output}`)) / 2, DIGITS);
    }
  });
});

describe('what does not fit is refused', () => {
  test.each([
    ['another number of classes', buildNet({ classes: 5 }), {}, /'logits' \[N, 4\] .* 'logits', found '\[N, 5\]'/],
    [
      'no such student value',
      buildNet(),
      { hints: [{ student: 'iner', teacher: 'inner' }] },
      /hints.0.student: .*such as 'inner', found 'iner'/,
    ],
    [
      'no such teacher value',
      buildNet({ inner: 'other' }),
      { attention: [{ student: 'inner', teacher: 'inner' }] },
      /attention.0.teacher: .* found 'inner'/,
    ],
    [
      'two axes that differ',
      buildNet({ channels: 5, places: 2 }),
      { hints: [{ student: 'inner', teacher: 'inner' }] },
      /'inner' \[N, 3, 3, 3\] .* found '\[N, 5, 2, 2\]'/,
    ],
    [
      'other places',
      buildNet({ places: 2 }),
      { attention: [{ student: 'inner', teacher: 'inner' }] },
      /same places at the student's 'inner' \[N, 3, 3, 3\] .* found '\[N, 3, 2, 2\]'/,
    ],
    ['no places', buildNet(), { attention: [{ student: 'logits', teacher: 'logits' }] }, /\[N, C, places...\]/],
  ])('%s', (_, teacher, options, message) => {
    const plan = () =>
      planDistillation(buildNet(), teacher, distillationOptions.parse(options), { labels: false, seed: 1 });
    expect(plan).toThrow(expect.objectContaining({ code: 'E_OPTION_VALUE' }));
    expect(plan).toThrow(message);
  });

  test('a fixed batch', () => {
    const net = buildNet();
    const fixed = bindShapes(net, { N: 1 });
    const plan = () => planDistillation(net, fixed, distillationOptions.parse({}), { labels: false, seed: 1 });
    expect(plan).toThrow(/sample axis of 'x' .*, found '\[1, 2, 4, 4\]'/);
  });

  test('fewer outputs', () => {
    const net = buildNet();
    const student = { ...net, outputs: ['logits', 'inner'] };
    const plan = () => planDistillation(student, net, distillationOptions.parse({}), { labels: false, seed: 1 });
    expect(plan).toThrow(/2 outputs like the student \(logits, inner\), found '1 \(logits\)'/);
  });
});
