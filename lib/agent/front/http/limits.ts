/** What connections may take: times in milliseconds, sizes in bytes. */
export interface HttpLimits {
  /** From the first byte of a request to the end of its head, and to the end of its body. */
  readonly headMs: number;
  readonly requestMs: number;
  /** How often these two are checked. */
  readonly checkMs: number;
  /** How long a connection is kept without a request: longer than clients keep theirs. */
  readonly keepAliveMs: number;
  /** How long a client may take nothing of an answer. */
  readonly sendMs: number;
  /** Once our end is closed: how long the client may send nothing before it closes its own, or go on sending. */
  readonly lingerMs: number;
  readonly drainMs: number;
  /** What it may send in that time. */
  readonly drainBytes: number;
  /** Request line and header fields. */
  readonly headBytes: number;
  /** Bodies of all requests that are arriving. */
  readonly uploadBytes: number;
  /** Connections at once; descriptors for workers and files remain. */
  readonly connections: number;
}

export const HTTP_LIMITS: HttpLimits = {
  headMs: 10_000,
  requestMs: 30_000,
  checkMs: 1000,
  keepAliveMs: 75_000,
  sendMs: 30_000,
  lingerMs: 1000,
  drainMs: 10_000,
  drainBytes: 256 << 20,
  headBytes: 16 << 10,
  uploadBytes: 256 << 20,
  connections: 2048,
};
