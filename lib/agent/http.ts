import type { IncomingMessage, ServerResponse } from 'node:http';
import { asHoneError, HoneError } from '../core/error';
import type { ErrorCode } from '../core/error-table';

/** HTTP status by error code; what is not listed is the client's fault (400) unless internal (500). */
const STATUS: Partial<Record<ErrorCode, number>> = {
  E_REQUEST_ROUTE: 404,
  E_REQUEST_ORIGIN: 403,
  E_REQUEST_SIZE: 413,
  E_AGENT_BUSY: 503,
  E_AGENT_STOPPING: 503,
  E_SESSION_CLOSED: 503,
  E_INTERNAL: 500,
};

/**
 * The whole body of a request.
 * @throws E_REQUEST_SIZE as soon as more than `limit` bytes are announced or read
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit) throw new HoneError('E_REQUEST_SIZE', { limit });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new HoneError('E_REQUEST_SIZE', { limit });
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

/** Answers with the error as the protocol wants it: `{"error": text}`, and our code beside it. */
export function sendError(response: ServerResponse, error: unknown): void {
  const { code, message, hint } = asHoneError(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // An unread body would be taken for the next request on this connection.
  response.setHeader('connection', 'close');
  sendJson(response, STATUS[code] ?? 400, { error: message, code, hint });
}
