import { HoneError } from '../../core/error';
import { nearest } from '../../core/nearest';
import { namesOf, typeOf } from '../../ir/edit';
import type { Dim, Graph } from '../../ir/graph';
import { batchExtents } from '../../ir/sample-axes';
import { logitsOf } from '../logits-of';

/** A value of the student beside one of the teacher, with their shapes. */
export interface Pair {
  readonly student: string;
  readonly teacher: string;
  readonly studentShape: readonly Dim[];
  readonly teacherShape: readonly Dim[];
}

/**
 * The outputs of the student, each with the output of the teacher at the same place; what a Softmax reads stands for its result.
 * @throws E_OPTION_VALUE when there are fewer outputs, or other shapes, at the teacher
 */
export function pairOutputs(student: Graph, teacher: Graph): readonly Pair[] {
  if (teacher.outputs.length < student.outputs.length)
    throw new HoneError('E_OPTION_VALUE', {
      option: 'teacher',
      expected: `a network with ${student.outputs.length} outputs like the student (${student.outputs.join(', ')})`,
      found: `${teacher.outputs.length} (${teacher.outputs.join(', ')})`,
    });
  return student.outputs.flatMap((output, index) => {
    if (index > 0 && typeOf(student, output)?.type !== 'float32') return [];
    const names = { student: logitsOf(student, output), teacher: logitsOf(teacher, teacher.outputs[index]) };
    const pair = pairValues(student, teacher, names, 'teacher');
    const same = pair.studentShape.slice(1).join() === pair.teacherShape.slice(1).join();
    if (same && pair.studentShape.length === pair.teacherShape.length) return [pair];
    throw misfit('teacher', pair, 'the same shape but for the batch');
  });
}

/**
 * Checks that a network can be asked about batches of any size.
 * @throws E_OPTION_VALUE naming the first input of another form
 */
export function requireFreeBatch(teacher: Graph): void {
  for (const [input, batch] of batchExtents(teacher)) {
    const shape = typeOf(teacher, input)?.shape;
    if (shape === undefined || typeof batch === 'string') continue;
    throw new HoneError('E_OPTION_VALUE', {
      option: 'teacher',
      expected: `a network that takes any number of samples, a symbol on the sample axis of '${input}' (the float model is its own teacher unless a step names another; export it with a dynamic batch)`,
      found: `[${shape.join(', ')}]`,
    });
  }
}

/**
 * Two values with their shapes; `option` names them in messages.
 * @throws E_OPTION_VALUE when one of the networks has no such float32 value of a known shape
 */
export function pairValues(
  student: Graph,
  teacher: Graph,
  names: { readonly student: string; readonly teacher: string },
  option: string,
): Pair {
  return {
    ...names,
    studentShape: shapeOf(student, names.student, `${option}.student`, 'student'),
    teacherShape: shapeOf(teacher, names.teacher, `${option}.teacher`, 'teacher'),
  };
}

/** Error that tells both shapes of a pair that does not fit. */
export function misfit(option: string, pair: Pair, wanted: string): HoneError {
  return new HoneError('E_OPTION_VALUE', {
    option,
    expected: `${wanted} at the student's '${pair.student}' [${pair.studentShape.join(', ')}] and at the teacher's '${pair.teacher}'`,
    found: `[${pair.teacherShape.join(', ')}]`,
  });
}

function shapeOf(graph: Graph, value: string, option: string, who: string): readonly Dim[] {
  const type = typeOf(graph, value);
  if (type?.type === 'float32' && type.shape && type.shape.slice(1).every((dim) => typeof dim === 'number'))
    return type.shape;
  const made = new Set([...graph.inputs, ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  const names = [...namesOf(graph)].filter((name) => made.has(name));
  const near = made.has(value) ? undefined : nearest(value, names);
  throw new HoneError('E_OPTION_VALUE', {
    option,
    expected: `a float32 value of the ${who} with numbers as extents behind the batch${near ? `, such as '${near}'` : ''}`,
    found: `${value}${type ? ` ${type.type}[${type.shape?.join(', ') ?? '...'}]` : ''}`,
  });
}
