import { type ServerResponse, STATUS_CODES } from 'node:http';
import { asHoneError, type HoneError } from '../../../core/error';
import type { ErrorCode } from '../../../core/error-table';

/** HTTP status by error code; what is not listed is the client's fault (400). */
const STATUS: Partial<Record<ErrorCode, number>> = {
  E_REQUEST_ROUTE: 404,
  E_MODEL_UNKNOWN: 404,
  E_REQUEST_METHOD: 405,
  E_REQUEST_ORIGIN: 403,
  E_REQUEST_SIZE: 413,
  E_REQUEST_ENCODING: 415,
  E_REQUEST_SLOW: 408,
  E_REQUEST_HEAD: 431,
  E_REQUEST_VERSION: 505,
  E_REQUEST_TRANSFER: 501,
  E_REQUEST_EXPECT: 417,
  E_RESPONSE_ENCODING: 406,
  E_REPOSITORY_CLOSED: 403,
  E_REPOSITORY_TOKEN: 401,
  E_AGENT_BUSY: 503,
  E_AGENT_STOPPING: 503,
  E_QUEUE_FULL: 503,
  E_MODEL_UNAVAILABLE: 503,
  E_WORKER_ENDED: 503,
  E_WORKER_START: 503,
  E_SESSION_CLOSED: 503,
  E_MEMORY: 503,
  E_DEADLINE: 504,
  E_FRAME_FORMAT: 502,
  E_OUTPUT_NOT_FINITE: 422,
  E_INTERNAL: 500,
};

function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 400;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  // As text, which Node joins to the head.
  const body = JSON.stringify(value);
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers }).end(body);
}

/** Answers with the error as the protocol wants it, `{"error": text}`, with our code beside it, and what HTTP wants in the head. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, value, headers } = replyOf(error);
  sendJson(response, status, value, headers);
}

/** The same as bytes, for a connection that no request could be read from. */
export function errorBytes(error: HoneError): Buffer {
  const { status, value, headers } = replyOf(error);
  const body = Buffer.from(JSON.stringify(value));
  const fields = {
    'content-type': 'application/json',
    'content-length': body.length,
    ...headers,
    date: new Date().toUTCString(),
    connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, text]) => `${name}: ${text}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`), body]);
}

function replyOf(error: unknown): {
  readonly status: number;
  readonly value: object;
  readonly headers: Readonly<Record<string, string | number>>;
} {
  const { code, message, hint, details } = asHoneError(error);
  const headers: Record<string, string | number> = {};
  if (details.retryS !== undefined) headers['retry-after'] = Number(details.retryS);
  if (details.allow !== undefined) headers.allow = String(details.allow);
  if (code === 'E_REPOSITORY_TOKEN') headers['www-authenticate'] = 'Bearer';
  return { status: statusOf(code), value: { error: message, code, hint }, headers };
}
