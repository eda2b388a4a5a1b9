import { HoneError } from '../../core/error';
import type { Batch, Dataset } from '../../ir/dataset';
import type { Evaluate, Graph } from '../../ir/graph';
import type { Tensor } from '../../ir/tensor';

/** Values of a teacher, with the extents that each is to have per sample. */
export type TeacherValues = ReadonlyMap<string, readonly number[]>;

/** Name under which a batch carries a value of the teacher. */
export function teacherInput(value: string): string {
  return `teacher.${value}`;
}

/**
 * The dataset whose batches carry these values of the teacher beside the samples, under `teacherInput(value)`: computed when a
 * batch is read, so that an augmented sample gets the teacher's opinion of what the student sees. Values that the dataset
 * carries already under that name are taken as they are: computed once for all epochs, for example.
 * @throws E_DATA_MISMATCH (from batches) when the samples lack an input of the teacher
 */
export function withTeacher(dataset: Dataset, teacher: Graph, values: TeacherValues, evaluate: Evaluate): Dataset {
  const missing = [...values.keys()].filter((value) => !dataset.inputs.has(teacherInput(value)));
  if (missing.length === 0) return dataset;
  return {
    ...dataset,
    async *batches(options) {
      for await (const batch of dataset.batches(options)) {
        const results = await evaluate(teacher, teacherFeeds(teacher, batch), missing);
        const opinions = missing.map((value): [string, Tensor] => {
          const dims = [batch.count, ...values.get(value)!];
          return [teacherInput(value), { ...results.get(value)!, dims }];
        });
        yield { ...batch, inputs: new Map([...batch.inputs, ...opinions]) };
      }
    },
    select: (indices) => withTeacher(dataset.select(indices), teacher, values, evaluate),
  };
}

function teacherFeeds(teacher: Graph, { inputs }: Batch): ReadonlyMap<string, Tensor> {
  const feeds = teacher.inputs.map((name) => {
    const tensor = inputs.get(name);
    if (tensor) return [name, tensor] as const;
    const found = [...inputs.keys()].join(', ');
    throw new HoneError('E_DATA_MISMATCH', { expected: `an array named '${name}' for the teacher`, found });
  });
  return new Map(feeds);
}
