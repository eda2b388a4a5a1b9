import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FrontState } from './front-state';

/** A request on its way. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly segments: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** When its first byte arrived, in nanoseconds. */
  readonly arrivalNs: number;
  readonly front: FrontState;
  /** Its body has arrived. */
  bodyEnded(): void;
}
