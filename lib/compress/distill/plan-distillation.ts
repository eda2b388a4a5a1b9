import type { Graph } from '../../ir/graph';
import { inferShapes } from '../../passes/infer-shapes';
import { prepare } from '../../passes/pipeline';
import { crossEntropy, klDivergence, type LossBuilder, meanSquaredError, weightedSum } from '../../train/losses';
import type { Schedule } from '../../train/train-options';
import { attentionTransfer } from './attention-transfer';
import type { DistillationOptions } from './distill-options';
import { misfit, type Pair, pairOutputs, pairValues, requireFreeBatch } from './fit';
import { classCount } from './logit-scale';
import { addRegressors, canWiden } from './regressors';
import { type TeacherValues, teacherInput } from './with-teacher';

/** What a training under a teacher needs. */
export interface Distillation {
  /** The student, with learned layers behind hints of another width: they end nowhere, and go when training is over. */
  readonly graph: Graph;
  /** Weights of those layers. */
  readonly regressors: readonly string[];
  /** The teacher as it is run. */
  readonly teacher: Graph;
  /** What the loss reads of it: every batch must carry it (see `withTeacher`). */
  readonly values: TeacherValues;
  readonly loss: LossBuilder;
  readonly schedules: ReadonlyMap<string, Schedule>;
}

export interface DistillationContext {
  readonly labels: boolean;
  readonly seed: number;
  /** What the logits of each network are divided by (see `logitScale`); 1 when left out. */
  readonly scales?: { readonly student: number; readonly teacher: number };
}

/** Inputs of the step that hold the weights of both stages. */
const STAGES = { teacher: 'distillation.teacher', labels: 'distillation.labels' } as const;

type Part = Parameters<typeof weightedSum>[0][number];
type Weighed = Pair & { readonly weight: number };

/**
 * The training of `student` (prepared, BatchNormalization kept) under `teacher`. Without labels the teacher alone decides. The
 * first output counts as logits of classes, compared by softened distributions (Hinton et al. 2015). Where it is something
 * else (a single number, a map, a sigmoid behind it), and for all further outputs, half of the mean squared difference takes
 * their place.
 * @throws E_OPTION_VALUE when student and teacher do not fit, naming both shapes
 */
export function planDistillation(
  student: Graph,
  teacher: Graph,
  options: DistillationOptions,
  { labels, seed, scales = { student: 1, teacher: 1 } }: DistillationContext,
): Distillation {
  const inner = options.hints.length + options.attention.length > 0;
  // Inner values keep their names only where BatchNormalization is not folded away; without it the teacher is quicker.
  const ready = inferShapes(prepare(teacher, { batchNorm: inner ? 'keep' : 'fuse' }).graph).graph;
  requireFreeBatch(ready);
  const own = inferShapes(student).graph;
  const outputs = pairOutputs(own, ready);
  const hints = pairHints(own, ready, options);
  const attention = pairAttention(own, ready, options);
  const widened = addRegressors(
    student,
    hints.map(({ student: value, studentShape, teacherShape }) => ({ value, from: studentShape, to: teacherShape })),
    seed,
  );

  const staged = options.mode === 'two-stage' && labels;
  const alpha = options.mode === 'logits' && labels ? options.alpha : 1;
  const classes = classCount(own, own.outputs[0], outputs[0].studentShape);
  const values = new Map<string, readonly number[]>();
  for (const { teacher: value, teacherShape } of [...outputs, ...hints, ...attention])
    values.set(value, teacherShape.slice(1) as number[]);
  if (classes !== undefined) values.set(outputs[0].teacher, [classes]);

  const taught: Part[] = [
    ...outputs.map((pair, index): Part => {
      const target = teacherInput(pair.teacher);
      return index === 0 && classes !== undefined
        ? { loss: klDivergence({ target, temperature: options.temperature, scales }), weight: alpha }
        : { loss: meanSquaredError({ value: pair.student, target }), weight: alpha / 2 };
    }),
    ...hints.map(({ teacher: value, weight }, index): Part => {
      const target = teacherInput(value);
      return { loss: meanSquaredError({ value: widened.values[index], target }), weight: weight / 2 };
    }),
    ...attention.map(({ student: value, teacher: other, weight }): Part => {
      const loss: LossBuilder = (emit, names) => {
        const [batch] = emit.typeOf(value).shape as number[];
        const dims = [batch, ...values.get(other)!];
        return attentionTransfer({ value, target: teacherInput(other), dims })(emit, names);
      };
      return { loss, weight };
    }),
  ];
  const parts = staged
    ? [
        { loss: weightedSum(taught), weight: STAGES.teacher },
        { loss: crossEntropy({ logitScale: scales.student }), weight: STAGES.labels },
      ]
    : alpha < 1
      ? [...taught, { loss: crossEntropy({ logitScale: scales.student }), weight: 1 - alpha }]
      : taught;
  const teaches: Schedule = (progress) => (progress < 0.5 ? 1 : 0);
  return {
    graph: widened.graph,
    regressors: widened.weights,
    teacher: ready,
    values,
    loss: weightedSum(parts),
    schedules: new Map(
      staged
        ? [
            [STAGES.teacher, teaches],
            [STAGES.labels, (progress: number) => 1 - teaches(progress)],
          ]
        : [],
    ),
  };
}

function pairHints(student: Graph, teacher: Graph, { hints }: DistillationOptions): Weighed[] {
  return hints.map((hint, index) => {
    const option = `distillation.hints.${index}`;
    const pair = pairValues(student, teacher, hint, option);
    if (!canWiden(pair.studentShape, pair.teacherShape)) throw misfit(option, pair, 'the same shape but for one width');
    return { ...pair, weight: hint.weight };
  });
}

function pairAttention(student: Graph, teacher: Graph, { attention }: DistillationOptions): Weighed[] {
  return attention.map((entry, index) => {
    const option = `distillation.attention.${index}`;
    const pair = pairValues(student, teacher, entry, option);
    const [own, other] = [pair.studentShape, pair.teacherShape].map((shape) => shape.slice(2));
    if (own.length === 0 || own.join() !== other.join())
      throw misfit(option, pair, '[N, C, places...] with the same places');
    return { ...pair, weight: entry.weight };
  });
}
