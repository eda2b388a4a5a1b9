import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
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
  E_OUTPUT_NOT_FINITE: 500,
  E_INTERNAL: 500,
};

/**
 * Refuses what a page of another site would send to an agent on loopback (DNS rebinding, cross-site requests).
 * @throws E_REQUEST_ORIGIN
 */
export function checkOrigin({ host = '', origin }: IncomingHttpHeaders): void {
  const local = (name: string) => /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i.test(name);
  if (!local(host)) throw new HoneError('E_REQUEST_ORIGIN', { origin: host });
  if (origin !== undefined && !local(origin.replace(/^https?:\/\//i, '')))
    throw new HoneError('E_REQUEST_ORIGIN', { origin });
}

/**
 * The whole body of a request.
 * @throws E_REQUEST_SIZE as soon as more than `limit` bytes are announced or read; E_REQUEST_FORMAT when it breaks off
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const tooLarge = () => reject(new HoneError('E_REQUEST_SIZE', { limit }));
    if (Number(request.headers['content-length'] ?? 0) > limit) return tooLarge();
    let chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else {
        chunks = [];
        tooLarge();
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size)));
    const broken = () => reject(new HoneError('E_REQUEST_FORMAT', { reason: 'the body breaks off' }));
    request.on('error', broken);
    request.on('close', broken);
  });
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

/** Answers with the error as the protocol wants it: `{"error": text}`, and our code beside it. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { code, message, hint } = asHoneError(error);
  sendJson(response, STATUS[code] ?? 400, { error: message, code, hint });
}
