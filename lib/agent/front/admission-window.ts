/** Part of its time that a request may wait, before any was answered; and the least that a window ever is. */
const START_PART = 0.1;
const LEAST = 4;

/**
 * How many requests may wait: as many as a part of their time is enough for, by the first run of a worker; with every answer one more, up
 * to the limit of the queue, and with one that came too late half as many. A machine that is busy with something else shows in
 * time, and what is let in is answered. (The slow start and the decrease of RFC 5681, section 3.1.)
 */
export class AdmissionWindow {
  private readonly limit: number;
  private requests = LEAST;

  /** @param limit requests that may ever wait, 1 or more */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Requests that may wait now. */
  get size(): number {
    return this.requests;
  }

  /** Begins anew with a worker whose first run took so long; 0: that is not known. */
  begin(firstRunNs: number, timeoutMs: number): void {
    const enough = firstRunNs === 0 ? 0 : Math.floor((START_PART * timeoutMs * 1e6) / firstRunNs);
    this.requests = Math.max(LEAST, Math.min(this.limit, enough));
  }

  /** So many requests were answered together. */
  answered(count: number): void {
    this.requests = Math.min(this.limit, this.requests + count);
  }

  /** A request came too late. */
  late(): void {
    this.requests = Math.max(LEAST, Math.floor(this.requests / 2));
  }
}
