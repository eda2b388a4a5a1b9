import { elementCount } from '../ir/tensor';
import type { Program } from './program';
import type { Buffer, Step } from './step';

/** Elements that the steps of one side touch, from which on leaving them out pays for asking. */
const LEAST_ELEMENTS = 4096;

type Choice = Extract<Step, { op: 'select' }>;

/**
 * The steps, of which those that only one side of a choice reads are left out where one condition decides for the other side.
 * They move to right before the choice, each side behind a step that skips it. Nobody reads what was not computed: `select`
 * takes single elements, of the side that was.
 */
export function guardChoices(steps: readonly Step[], program: Program): readonly Step[] {
  const at = steps.findLastIndex(isChoice);
  if (at < 0) return steps;
  const choice = steps[at] as Choice;
  const before = steps.slice(0, at);
  const [condition, a, b] = choice.inputs.map((operand) => operand!.buffer);
  const sides = [
    { value: false, own: onlyFor(before, steps, choice, a) },
    { value: true, own: onlyFor(before, steps, choice, b) },
  ].filter(({ own }) => a.id !== b.id && (sizeOf(own) >= LEAST_ELEMENTS || mayFail(own)));
  const guarded = sides.flatMap(({ value, own }, index) => {
    const inner = guardChoices(
      before.filter((step) => own.has(step)),
      program,
    );
    const name = `${choice.name}:${index}`;
    const taken = program.buffer(name, 'bool', 1);
    const skip: Step = {
      name,
      op: 'skip',
      outputs: [{ buffer: taken, dims: [] }],
      inputs: [{ buffer: condition, dims: [] }],
      params: { count: inner.length, value },
    };
    return [skip, ...inner];
  });
  const rest = before.filter((step) => !sides.some(({ own }) => own.has(step)));
  return [...guardChoices(rest, program), ...guarded, choice, ...steps.slice(at + 1)];
}

/** Whether one condition chooses between all elements of two operands. */
function isChoice({ op, inputs }: Step): boolean {
  return op === 'select' && elementCount(inputs[0]!.dims) === 1;
}

/** Steps whose results reach nothing but one operand of a choice. */
function onlyFor(before: readonly Step[], all: readonly Step[], choice: Choice, operand: Buffer): ReadonlySet<Step> {
  const readers = new Map<number, Set<Step>>();
  for (const step of all)
    for (const input of step.inputs)
      if (input) readers.set(input.buffer.id, (readers.get(input.buffer.id) ?? new Set()).add(step));
  const others = choice.inputs.filter((input) => input!.buffer.id !== operand.id).map((input) => input!.buffer.id);
  const own = new Set<Step>();
  for (const step of [...before].reverse()) {
    const reached = step.outputs.every(({ buffer }) => {
      const list = [...(readers.get(buffer.id) ?? [])];
      const isRead = list.length > 0 && buffer.place.kind === 'arena';
      return isRead && list.every((reader) => own.has(reader) || (reader === choice && !others.includes(buffer.id)));
    });
    if (reached) own.add(step);
  }
  return own;
}

/** Whether a run may fail at one of them: then they must be left out where nobody asks for them. */
function mayFail(steps: ReadonlySet<Step>): boolean {
  return [...steps].some(({ op }) => op === 'require');
}

function sizeOf(steps: ReadonlySet<Step>): number {
  const operands = [...steps].flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
  return operands.reduce((sum, operand) => sum + (operand?.buffer.count ?? 0), 0);
}
