/** A request that waits for its turn. */
export interface Waiting {
  /** 1 goes first. */
  readonly priority: number;
  /** When it must have been answered, in nanoseconds of the monotonic clock. */
  readonly deadlineNs: number;
  /** Rows of a batch that it fills. */
  readonly rows: number;
}

/** Requests of one model in the order in which they will run: by priority, then deadline, then arrival. Bounded. */
export class ModelQueue<Entry extends Waiting> {
  readonly limit: number;
  private readonly entries: Entry[] = [];

  /** @param limit requests that may wait, 1 or more */
  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.entries.length;
  }

  get isFull(): boolean {
    return this.entries.length >= this.limit;
  }

  /** The one that runs next. */
  get head(): Entry | undefined {
    return this.entries[0];
  }

  /** Adds a request; the caller has seen that the queue is not full. */
  add(entry: Entry): void {
    let place = this.entries.length;
    while (place > 0 && goesBefore(entry, this.entries[place - 1])) place--;
    this.entries.splice(place, 0, entry);
  }

  /** How many requests would run before one of this priority and deadline. */
  countBefore(entry: Pick<Waiting, 'priority' | 'deadlineNs'>): number {
    let count = this.entries.length;
    while (count > 0 && goesBefore(entry, this.entries[count - 1])) count--;
    return count;
  }

  /** Takes out a request that nobody waits for any more; false when it is not there. */
  remove(entry: Entry): boolean {
    const place = this.entries.indexOf(entry);
    if (place >= 0) this.entries.splice(place, 1);
    return place >= 0;
  }

  /** Takes out the next requests that fill at most `rows` rows together, at least one. */
  take(rows: number): Entry[] {
    let room = rows - (this.entries[0]?.rows ?? 0);
    let count = 1;
    while (count < this.entries.length && this.entries[count].rows <= room) room -= this.entries[count++].rows;
    return this.entries.splice(0, count);
  }

  /** Takes out all. */
  clear(): Entry[] {
    return this.entries.splice(0);
  }
}

/** Whether `a` runs before `b`, which came first. */
export function goesBefore(
  a: Pick<Waiting, 'priority' | 'deadlineNs'>,
  b: Pick<Waiting, 'priority' | 'deadlineNs'>,
): boolean {
  return a.priority !== b.priority ? a.priority < b.priority : a.deadlineNs < b.deadlineNs;
}
