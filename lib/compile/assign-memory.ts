import { PLAN_TYPE_BYTES } from '../plan/format';
import { PLAN_OPS } from '../plan/plan-ops';
import type { Buffer, Step } from './step';

/** Arena offsets by buffer id, and the size of the arena, in bytes. */
export interface MemoryMap {
  readonly offsets: ReadonlyMap<number, number>;
  readonly arenaBytes: number;
}

/** Alignment of every buffer in the arena, in bytes: one cache line, one AVX-512 vector. */
const ALIGNMENT = 64;

/** A piece of arena that one or several buffers share, alive from step `first` to step `last`. */
interface Storage {
  bytes: number;
  first: number;
  last: number;
  offset: number;
}

/**
 * Places arena buffers so that no two that are alive at the same step overlap: in-place pairs are joined, then the largest
 * storage is placed first at the lowest free offset (greedy by size; Pisarchyk and Lee, 2020). Buffers by id that are `kept` are
 * alive to the end.
 */
export function assignMemory(steps: readonly Step[], kept: ReadonlySet<number> = new Set()): MemoryMap {
  const storages = new Map<number, Storage>();
  const lastRead = new Map<number, number>();
  steps.forEach((step, index) => {
    for (const input of step.inputs) if (input) lastRead.set(input.buffer.id, index);
  });
  steps.forEach((step, index) => {
    for (const { buffer, part } of step.outputs) {
      if (buffer.place.kind !== 'arena') continue;
      const last = kept.has(buffer.id) ? steps.length : Math.max(index, lastRead.get(buffer.id) ?? index);
      const known = storages.get(buffer.id) ?? (part ? undefined : inPlaceStorage(step, index, buffer, storages));
      if (known === undefined) storages.set(buffer.id, { bytes: sizeOf(buffer), first: index, last, offset: -1 });
      else {
        known.last = Math.max(known.last, last);
        storages.set(buffer.id, known);
      }
    }
  });
  const placed: Storage[] = [];
  const bySize = [...new Set(storages.values())].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const storage of bySize) {
    storage.offset = lowestOffset(storage, placed);
    placed.push(storage);
  }
  return {
    offsets: new Map([...storages].map(([id, storage]) => [id, storage.offset])),
    arenaBytes: Math.max(0, ...placed.map((storage) => align(storage.offset + storage.bytes))),
  };
}

/** The storage of an input that dies at this step and may carry the output. */
function inPlaceStorage(
  step: Step,
  index: number,
  output: Buffer,
  storages: ReadonlyMap<number, Storage>,
): Storage | undefined {
  for (const position of PLAN_OPS[step.op].inPlace) {
    const operand = step.inputs[position];
    const input = operand?.part ? undefined : operand?.buffer;
    const storage = input && storages.get(input.id);
    const others = step.inputs.filter((each, other) => other !== position && each?.buffer.id === input?.id);
    if (storage?.last === index && storage.bytes === sizeOf(output) && others.length === 0) return storage;
  }
  return undefined;
}

function lowestOffset(storage: Storage, placed: readonly Storage[]): number {
  const blocking = placed
    .filter((other) => other.first <= storage.last && storage.first <= other.last)
    .sort((a, b) => a.offset - b.offset);
  let offset = 0;
  for (const other of blocking) {
    if (offset + storage.bytes <= other.offset) break;
    offset = Math.max(offset, align(other.offset + other.bytes));
  }
  return offset;
}

function sizeOf(buffer: Buffer): number {
  return buffer.count * PLAN_TYPE_BYTES[buffer.type];
}

function align(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
