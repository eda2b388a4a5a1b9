import type { FrameLimits } from './frame';

/**
 * Kinds of frames between a supervisor and those who ask it, over any stream of bytes. Whoever asks sends `hello` first; every request
 * is answered once, by `answer` or `failed` (a `WireError`) with its id, in any order.
 */
export const SUPERVISOR_FRAME = {
  /** `Hello`. Answer: `Greeting`. The first frame, once. */
  hello: 1,
  /** Answer: all `RepositoryEntry`. */
  list: 2,
  /** `ModelRequest`. Answer: nothing, once it can be asked. */
  load: 3,
  /** `ModelRequest`; without a version all are meant. Answer: nothing. */
  unload: 4,
  /** Answer: `AgentStatus`. */
  status: 5,
  answer: 6,
  failed: 7,
  /** `PlacedPlan`. Answer: nothing, once it is served. Agents of a plain folder alone. */
  place: 8,
} as const;

/** Version of this protocol: it changes where an older end would misunderstand a newer one. */
export const SUPERVISOR_PROTOCOL = 1;

/** Most bytes of a request, and of an answer. */
export const REQUEST_LIMITS: FrameLimits = { jsonBytes: 64 << 10, payloadBytes: 0 };
export const ANSWER_LIMITS: FrameLimits = { jsonBytes: 16 << 20, payloadBytes: 0 };

export interface Hello {
  readonly protocol: number;
}

export interface Greeting extends Hello {
  /** Version of Hone at that end. */
  readonly version: string;
}

export interface ModelRequest {
  readonly model: string;
  readonly version?: string;
}

/** A plan of the agent's folder, and how it is to be served: the keys of the catalogue. */
export interface PlacedPlan {
  readonly name: string;
  readonly version: string;
  /** Path below the folder. */
  readonly plan: string;
  readonly threads?: number;
  readonly queue?: number;
  readonly timeoutMs?: number;
  readonly batch?: boolean;
}
