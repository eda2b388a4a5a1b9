import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FrontState } from './front-state';

/** A request on its way. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly segments: Readonly<Record<string, string>>;
  /** Path and query as the client sent them. */
  readonly target: string;
  /** When its first byte arrived, in nanoseconds. */
  readonly arrivalNs: number;
  readonly front: FrontState;
  /**
   * Its whole body, without the encoding that the client put on it; in memory where its byte number `alignedAt` is aligned for
   * elements of every type, unless it was encoded.
   * @param limit bytes that it may have, before and after decoding
   * @throws what `Uploads.read` and `decodeBody` throw
   */
  readBody(limit: number, alignedAt?: number): Promise<Uint8Array>;
}
