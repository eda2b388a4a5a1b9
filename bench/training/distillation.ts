import { percentText } from '../../lib/cli/text';
import type { MethodContext } from '../../lib/compress/method';
import { recover, recoveryOptions } from '../../lib/compress/recover';
import { augment } from '../../lib/data/augment';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import type { Dataset } from '../../lib/ir/dataset';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../lib/ir/tensor';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { cosine } from '../../lib/train/schedules';
import { sgd } from '../../lib/train/sgd';
import { train } from '../../lib/train/train';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { cachedNet } from './cached-net';
import { buildHintonNet, withMaxNorm } from './hinton-nets';
import { type Errors, judge, spreadText } from './judge';
import { lackingSamples, mnistSamples, type Samples } from './samples';
import { meanOverSeeds, SEEDS } from './seeds';

/** Extra errors of the student, beside the teacher, that distillation is to remove, as a share. */
const BAR = 0.3;

/** Hinton's teacher: dropout, weight constraints, digits moved by up to two pixels (Hinton et al. 2015, section 3). */
const TEACHER = {
  width: 1200,
  seed: 1,
  epochs: 40,
  batchSize: 128,
  learningRate: 0.1,
  dropout: 0.25,
  maxNorm: 4,
  shift: 2,
};

/** Hinton's student, alone and distilled: plain digits and no regularisation. */
const STUDENT = {
  width: 800,
  epochs: 12,
  batchSize: 128,
  learningRate: 0.1,
  warmup: 0.1,
  clipNorm: 1,
  select: 'last',
};
const DISTILLATION = { mode: 'logits', temperature: 20, alpha: 0.95 };

/** Hinton's student on MNIST with and without its teacher, over three seeds of the student. */
export async function runDistillation({ dataFolder, say }: TrialContext): Promise<TrialOutcome> {
  const lacking = lackingSamples(dataFolder, 'mnist');
  if (lacking) return { records: [], table: [], skipped: [`distillation: ${lacking} is not there`], missed: [] };
  const reference = createReferenceEvaluate();
  try {
    return await compareStudents(mnistSamples(dataFolder), reference.evaluate, say);
  } finally {
    await reference.close();
  }
}

async function compareStudents(
  samples: Samples,
  evaluate: Evaluate,
  say: (line: string) => void,
): Promise<TrialOutcome> {
  say('distillation: teacher');
  const teacher = await cachedNet('teacher', TEACHER, () => trainTeacher(samples.training, evaluate));
  const taught = await withLogits(samples.training, teacher, evaluate);
  const best = await judge(teacher, samples, evaluate);
  const records: TrialRecord[] = [];
  const errors: { readonly alone: Errors; readonly distilled: Errors }[] = [];
  for (const seed of SEEDS) {
    const student = (name: string, distillation: object, settings: object) =>
      cachedNet(name, { ...STUDENT, ...settings, seed, distillation }, () => {
        say(`distillation: ${name}, seed ${seed}`);
        return trainStudent(taught, { distillation, seed, teacher, evaluate });
      });
    const alone = await judge(await student('student-alone', { mode: 'off' }, {}), samples, evaluate);
    const distilled = await judge(
      await student('student-distilled', DISTILLATION, { teacher: TEACHER }),
      samples,
      evaluate,
    );
    errors.push({ alone, distilled });
    records.push({ seed, samples: samples.test.count, teacher: best, alone, distilled });
  }
  const mean = (net: 'alone' | 'distilled', form: keyof Errors) =>
    meanOverSeeds(errors.map((entry) => entry[net][form]));
  const removed = (form: keyof Errors) =>
    meanOverSeeds(errors.map(({ alone, distilled }) => (alone[form] - distilled[form]) / (alone[form] - best[form])));
  const share = removed('int8');
  const met = share.mean >= BAR;
  records.push({
    seeds: SEEDS,
    error: { teacher: best, alone: mean('alone', 'int8'), distilled: mean('distilled', 'int8') },
    removed: { int8: share, float: removed('float') },
    bar: BAR,
  });
  return {
    records,
    table: [
      ['net', 'error int8', 'error float', 'extra errors removed', 'bar'],
      [`teacher 2 x ${TEACHER.width}`, percentText(best.int8), percentText(best.float), '', ''],
      [`student 2 x ${STUDENT.width}`, spreadText(mean('alone', 'int8')), spreadText(mean('alone', 'float')), '', ''],
      [
        'distilled',
        spreadText(mean('distilled', 'int8')),
        spreadText(mean('distilled', 'float')),
        spreadText(share),
        `${percentText(BAR)} ${met ? 'met' : 'missed'}`,
      ],
    ],
    skipped: [],
    missed: met ? [] : [`distillation: ${percentText(share.mean)} of the extra errors removed < ${percentText(BAR)}`],
  };
}

async function trainTeacher(training: Dataset, evaluate: Evaluate): Promise<Graph> {
  const { width, seed, epochs, batchSize, learningRate, dropout, maxNorm, shift } = TEACHER;
  const optimizer = withMaxNorm(sgd(), maxNorm);
  const options = { epochs, batchSize, seed, optimizer, learningRate: cosine(learningRate) };
  const trained = await train(buildHintonNet(width, seed, dropout), augment(training, { shift }), options, evaluate);
  return { ...buildHintonNet(width, seed), initializers: trained.initializers };
}

async function trainStudent(
  training: Dataset,
  parts: { distillation: object; seed: number } & Pick<MethodContext, 'teacher' | 'evaluate'>,
): Promise<Graph> {
  const { distillation, ...rest } = parts;
  const { width, ...recipe } = STUDENT;
  const options = recoveryOptions.parse({ ...recipe, distillation });
  const score = () => Promise.reject(new Error('the last epoch is taken'));
  const data = { training, calibration: training, validation: training };
  const context = { ...rest, data, score, keep: new Set<string>(), target: { isa: 'ref' } as const };
  return recover(buildHintonNet(width, parts.seed), options, context, 'student');
}

/** The samples, unchanged and in memory, with the logits of the teacher: computed once for all epochs and seeds. */
async function withLogits(samples: Dataset, teacher: Graph, evaluate: Evaluate): Promise<Dataset> {
  const arrays = new Map<string, Float32Array<ArrayBuffer>>();
  const labels = new Int32Array(samples.count);
  const dims = new Map<string, readonly number[]>();
  let at = 0;
  for await (const batch of samples.batches({ size: 500 })) {
    const results = await evaluate(teacher, batch.inputs, ['logits']);
    const tensors: [string, Tensor][] = [...batch.inputs, ['teacher.logits', results.get('logits')!]];
    for (const [name, tensor] of tensors) {
      const values = viewAs(tensor, 'float32');
      const size = values.length / batch.count;
      if (!arrays.has(name)) arrays.set(name, new Float32Array(samples.count * size));
      arrays.get(name)!.set(values, at * size);
      dims.set(name, [samples.count, ...tensor.dims.slice(1)]);
    }
    labels.set(batch.labels!, at);
    at += batch.count;
  }
  const whole = [...arrays].map(([name, values]) => [name, tensorOf('float32', dims.get(name)!, values)] as const);
  return datasetFromTensors('digits with logits', new Map(whole), labels);
}
