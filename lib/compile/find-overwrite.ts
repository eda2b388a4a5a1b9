import { PLAN_TYPE_BYTES } from '../plan/format';
import type { OpRule } from '../plan/op-rule';
import { PLAN_OPS } from '../plan/plan-ops';
import type { MemoryMap } from './assign-memory';
import type { Buffer, Step } from './step';

/** What lies in the arena after a step: the content of one buffer. */
interface Content {
  readonly buffer: Buffer;
  readonly from: number;
  readonly to: number;
}

/**
 * Walks the steps of a plan and follows what lies where. Returns, in words, the first step that reads a buffer which was
 * never written or has been overwritten, that writes onto one of its own inputs where its kernel does not allow it, or that
 * writes outside the arena, or that one of `kept`, buffers by id, is gone in the end; undefined when there is none: the proof that the memory map is right.
 */
export function findOverwrite(
  steps: readonly Step[],
  { offsets, arenaBytes }: MemoryMap,
  kept: ReadonlySet<number> = new Set(),
): string | undefined {
  let contents: Content[] = [];
  const rangeOf = (buffer: Buffer): Content => {
    const from = offsets.get(buffer.id) ?? Number.NaN;
    return { buffer, from, to: from + buffer.count * PLAN_TYPE_BYTES[buffer.type] };
  };
  for (const step of steps) {
    const { inPlace }: OpRule = PLAN_OPS[step.op];
    const inputs = step.inputs.map((operand) => operand?.buffer);
    for (const input of inputs)
      if (input?.place.kind === 'arena' && !contents.some(({ buffer }) => buffer.id === input.id))
        return `step '${step.name}' reads '${input.name}', which is not in memory`;
    for (const { buffer } of step.outputs) {
      if (buffer.place.kind !== 'arena') continue;
      const written = rangeOf(buffer);
      if (!(written.from >= 0 && written.to <= arenaBytes)) return `step '${step.name}' writes outside the arena`;
      for (const [position, input] of inputs.entries()) {
        if (input?.place.kind !== 'arena' || !overlap(rangeOf(input), written)) continue;
        const { from, to } = rangeOf(input);
        const allowed = inPlace.includes(position) && from === written.from && to === written.to;
        if (!allowed) return `step '${step.name}' overwrites its input '${input.name}'`;
      }
      contents = contents.filter((content) => content.buffer.id === buffer.id || !overlap(content, written));
      if (!contents.some((content) => content.buffer.id === buffer.id)) contents.push(written);
    }
  }
  for (const id of kept)
    if (!contents.some(({ buffer }) => buffer.id === id)) return `buffer ${id} does not stay to the end`;
  return undefined;
}

function overlap(a: Content, b: Content): boolean {
  return a.from < b.to && b.from < a.to;
}
