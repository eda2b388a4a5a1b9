import { elementCount } from '../ir/tensor';
import { PLAN_TYPE_BYTES } from '../plan/format';
import type { OpRule } from '../plan/op-rule';
import { PLAN_OPS } from '../plan/plan-ops';
import type { MemoryMap } from './assign-memory';
import { areApart, type Part } from './part';
import type { Buffer, Operand, Step } from './step';

/** What lies in the arena after a step: the content of one buffer. */
interface Content {
  readonly buffer: Buffer;
  readonly from: number;
  readonly to: number;
  /** Of a buffer that steps read or write in parts: 1 for each element that was written. */
  readonly written: Uint8Array | undefined;
}

/**
 * Walks the steps of a plan and follows what lies where. Returns, in words, the first step that reads a buffer, or a part of one,
 * which was never written or has been overwritten, that writes onto one of its own inputs where its kernel does not allow it, that
 * writes an element of a buffer that lies in parts twice, or that writes outside the arena, or that one of `kept`, buffers by id, is
 * gone in the end; undefined when there is none: the proof that the memory map is right.
 */
export function findOverwrite(
  steps: readonly Step[],
  { offsets, arenaBytes }: MemoryMap,
  kept: ReadonlySet<number> = new Set(),
): string | undefined {
  let contents: Content[] = [];
  const inParts = new Set(
    steps.flatMap(({ outputs, inputs }) =>
      [...outputs, ...inputs].flatMap((each) => (each?.part ? [each.buffer.id] : [])),
    ),
  );
  const rangeOf = (buffer: Buffer): { readonly from: number; readonly to: number } => {
    const from = offsets.get(buffer.id) ?? Number.NaN;
    return { from, to: from + buffer.count * PLAN_TYPE_BYTES[buffer.type] };
  };
  for (const step of steps) {
    const { inPlace }: OpRule = PLAN_OPS[step.op];
    for (const input of step.inputs) {
      if (input?.buffer.place.kind !== 'arena') continue;
      const content = contents.find(({ buffer }) => buffer.id === input.buffer.id);
      if (content === undefined || !isWritten(content.written, step, input))
        return `step '${step.name}' reads '${input.buffer.name}', which is not in memory`;
    }
    for (const output of step.outputs) {
      const { buffer } = output;
      if (buffer.place.kind !== 'arena') continue;
      const range = rangeOf(buffer);
      if (!(range.from >= 0 && range.to <= arenaBytes)) return `step '${step.name}' writes outside the arena`;
      for (const [position, input] of step.inputs.entries()) {
        if (input?.buffer.place.kind !== 'arena' || !overlap(rangeOf(input.buffer), range)) continue;
        const { from, to } = rangeOf(input.buffer);
        const same = from === range.from && to === range.to && !output.part && !input.part;
        if (!((same && inPlace.includes(position)) || areParts(output, input)))
          return `step '${step.name}' overwrites its input '${input.buffer.name}'`;
      }
      const known = contents.find((content) => content.buffer.id === buffer.id);
      const written = inParts.has(buffer.id) ? (known?.written ?? new Uint8Array(buffer.count)) : undefined;
      if (written !== undefined && !write(written, step, output))
        return `step '${step.name}' writes a part of '${buffer.name}' that is not free`;
      contents = contents.filter((content) => content !== known && !overlap(content, range));
      contents.push({ buffer, ...range, written });
    }
  }
  for (const id of kept)
    if (!contents.some(({ buffer }) => buffer.id === id)) return `buffer ${id} does not stay to the end`;
  return undefined;
}

/** Whether two operands are parts of one buffer that have no element in common. */
function areParts(a: Operand, b: Operand): boolean {
  if (a.buffer.id !== b.buffer.id || a.part === undefined || b.part === undefined) return false;
  return areApart({ ...a.part, count: elementCount(a.dims) }, { ...b.part, count: elementCount(b.dims) });
}

/** Marks what a step writes; false where something is written already, or it lies outside. */
function write(written: Uint8Array, step: Step, output: Operand): boolean {
  let free = true;
  walk(step, output, 'dst', (from, to) => {
    free &&= from >= 0 && to <= written.length && !written.subarray(from, to).includes(1);
    written.fill(1, from, to);
  });
  return free;
}

/** Whether all was written that a step reads. */
function isWritten(written: Uint8Array | undefined, step: Step, input: Operand): boolean {
  let all = true;
  if (written !== undefined)
    walk(step, input, 'src', (from, to) => {
      all &&= from >= 0 && to <= written.length && !written.subarray(from, to).includes(0);
    });
  return all;
}

/** Calls back for every stretch of elements of an operand. */
function walk(step: Step, operand: Operand, side: 'src' | 'dst', stretch: (from: number, to: number) => void): void {
  if (step.op === 'copy_nd') {
    const { extents, srcOffset, dstOffset, srcStrides, dstStrides } = step.params;
    if (side === 'src') walkStrides(extents, srcStrides, srcOffset, stretch);
    else walkStrides(extents, dstStrides, dstOffset, stretch);
    return;
  }
  const count = elementCount(operand.dims);
  const { offset, row, pitch }: Part = operand.part ?? { offset: 0, row: operand.buffer.count, pitch: 0 };
  for (let i = 0; i < (operand.part ? count / row : 1); i++) stretch(offset + i * pitch, offset + i * pitch + row);
}

function walkStrides(
  extents: readonly number[],
  strides: readonly number[],
  offset: number,
  stretch: (from: number, to: number) => void,
): void {
  const [extent, stride] = [extents[0], strides[0]];
  if (extent === undefined) stretch(offset, offset + 1);
  else if (extents.length === 1 && stride === 1) stretch(offset, offset + extent);
  else for (let i = 0; i < extent; i++) walkStrides(extents.slice(1), strides.slice(1), offset + i * stride, stretch);
}

function overlap(a: { from: number; to: number }, b: { from: number; to: number }): boolean {
  return a.from < b.to && b.from < a.to;
}
