import type { FrameLimits } from './frame';
import { ANSWER_LIMITS, type Greeting, type PlacedPlan, SUPERVISOR_FRAME } from './supervisor-frames';

/**
 * Kinds of frames between a controller and a board (docs/board-protocol.md), over any stream of bytes. Those that a supervisor knows
 * mean the same here, but for `place`, which names the plan by its digest. Every request is answered once, by `answer` or `failed`.
 */
export const BOARD_FRAME = {
  ...SUPERVISOR_FRAME,
  /** `BlobsRequest`. Answer: `BlobState` of each, in their order. */
  blobs: 16,
  /** `PutRequest` and bytes of the blob. Answer: nothing, once they are written. */
  put: 17,
  /** `{ sha256 }`. Answer: nothing, once all its bytes are checked and safe. */
  commit: 18,
  /** Answer: `Pruned`. */
  prune: 19,
  /** `{ bytes }`. Answer: `{ text }`, the end of the log. */
  logs: 20,
  /** Answer: `MachineFacts`. */
  facts: 21,
  /** Its id is the tunnel's, whose bytes may follow at once. Answer: nothing, once the agent's HTTP port is reached. */
  open: 32,
  /** Bytes of a tunnel. */
  data: 33,
  /** `{ bytes }`: so many more may be sent. */
  credit: 34,
  /** No more bytes come this way. */
  end: 35,
  /** The tunnel is over both ways. */
  close: 36,
} as const;

/** Version of this protocol: it changes where an older end would misunderstand a newer one. */
export const BOARD_PROTOCOL = 1;

/** What either end may ask of the other; a greeting tells them. */
export interface BoardLimits {
  /** Requests at once. */
  readonly requests: number;
  /** Bytes of a blob in one frame, of a whole blob, and digests in one request. */
  readonly chunkBytes: number;
  readonly blobBytes: number;
  readonly digests: number;
  /** Blobs that arrive at once over one connection. */
  readonly uploads: number;
  /** Tunnels at once, and bytes that one may send before the other end has taken them. */
  readonly tunnels: number;
  readonly tunnelBytes: number;
  /** Most bytes of the log in one answer. */
  readonly logBytes: number;
}

export const BOARD_LIMITS: BoardLimits = {
  requests: 32,
  chunkBytes: 256 << 10,
  blobBytes: 4 * 2 ** 30,
  digests: 256,
  uploads: 4,
  tunnels: 16,
  tunnelBytes: 256 << 10,
  logBytes: 256 << 10,
};

/** Most bytes of a tunnel in one frame: others come between. */
export const TUNNEL_CHUNK_BYTES = 64 << 10;

/** Most bytes of a frame from a controller, and of one from a board. */
export const CONTROLLER_FRAME_LIMITS: FrameLimits = { jsonBytes: 64 << 10, payloadBytes: BOARD_LIMITS.chunkBytes };
export const BOARD_FRAME_LIMITS: FrameLimits = { ...ANSWER_LIMITS, payloadBytes: TUNNEL_CHUNK_BYTES };

export interface BoardGreeting extends Greeting {
  readonly limits: BoardLimits;
  /** As Node calls it, such as `linux-arm64`. */
  readonly platform: string;
}

export interface BlobState {
  readonly sha256: string;
  /** Bytes of the whole blob; null when it is not there. */
  readonly bytes: number | null;
  /** Bytes that have arrived of one that is not whole. */
  readonly partialBytes: number;
}

export interface PutRequest {
  readonly sha256: string;
  /** Where the bytes belong: at the end of those that have arrived, or at 0 to begin anew. */
  readonly offset: number;
  /** Bytes of the whole blob. */
  readonly size: number;
}

/** A plan by its digest, and how it is to be served. */
export interface PlanPlacement extends Omit<PlacedPlan, 'plan'> {
  readonly sha256: string;
}

/** Blobs that no model used. */
export interface Pruned {
  readonly blobs: number;
  readonly bytes: number;
}

/** Whether a text is a SHA-256 as it is written here. */
export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
}
