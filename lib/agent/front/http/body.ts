import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HoneError } from '../../../core/error';
import { decodeBody } from './encoding';
import { expectsContinue } from './head';
import type { Uploads } from './uploads';

/** Bytes of a body that nobody wants which are read and forgotten so that the connection can be used again. */
const FORGOTTEN_BYTES = 64 << 10;

/**
 * The body of a request. An answer that does not wait for its end closes the connection behind it, unless the rest is known to be
 * short: the client would go on sending what nobody reads, or leave out what it was not told to send.
 */
export class Body {
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  /** Whether the client lets the connection be used again. */
  private readonly keepAlive: boolean;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.keepAlive = response.shouldKeepAlive;
    const { 'transfer-encoding': coding, 'content-length': length = '0' } = request.headers;
    if (coding !== undefined || Number(length) > FORGOTTEN_BYTES || expectsContinue(request))
      response.shouldKeepAlive = false;
  }

  /** Nobody wants it. */
  forget(): void {
    this.request.resume();
  }

  /** As `Exchange.readBody`. `watch` as of `Uploads.read`. */
  async read(
    uploads: Uploads,
    limit: number,
    alignedAt: number,
    watch: (fail: (error: HoneError) => void) => void,
  ): Promise<Uint8Array> {
    const { request, response } = this;
    try {
      const body = await uploads.read({ request, response }, limit, alignedAt, watch);
      response.shouldKeepAlive = this.keepAlive;
      return await decodeBody(request, body, limit);
    } catch (error) {
      if (!request.complete) response.shouldKeepAlive = false;
      throw error;
    }
  }
}
