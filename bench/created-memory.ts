import { median, type Subject } from './timing';

/** Calls between two readings of the heap: few enough that the garbage collector seldom steps in. */
const CALLS = 2000;
const SERIES = 50;

/** Memory that one call leaves to the garbage collector; `Infinity` when it leaves so much that every series met one. */
export interface CreatedMemory {
  readonly arrayBufferBytesPerRun: number;
  readonly heapBytesPerRun: number;
}

/** What one synchronous call creates: the median of many series, since some hold compilations, others a part of a collection. */
export function measureCreated({ run }: Subject): CreatedMemory {
  const buffers: number[] = [];
  const heap: number[] = [];
  for (let series = 0; series < SERIES; series++) {
    const before = process.memoryUsage();
    for (let i = 0; i < CALLS; i++) run();
    const after = process.memoryUsage();
    // The heap shrinks when a collection fell in between: such a series says nothing.
    if (after.heapUsed < before.heapUsed || after.arrayBuffers < before.arrayBuffers) continue;
    buffers.push(after.arrayBuffers - before.arrayBuffers);
    heap.push(after.heapUsed - before.heapUsed);
  }
  const perRun = (bytes: readonly number[]): number =>
    bytes.length === 0 ? Number.POSITIVE_INFINITY : Math.round(median(bytes) / CALLS);
  return { arrayBufferBytesPerRun: perRun(buffers), heapBytesPerRun: perRun(heap) };
}
