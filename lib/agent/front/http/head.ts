import type { IncomingMessage } from 'node:http';
import { HoneError } from '../../../core/error';

/** Fields that Node takes once and drops where they come again. */
const SINGLE = ['host', 'authorization', 'content-type'];
/** RFC 3986, 3.2.2 and 3.2.3, without user information; with a port that Host may leave empty. */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9\-._~!$&'()*+,;=%]*)(:\d*)?$/i;

/** The head of a request, checked. */
export interface Head {
  /** Path and query, or `*`. */
  readonly target: string;
  /** The machine and port that it was sent to; empty when a client of HTTP/1.0 does not say. */
  readonly host: string;
}

/**
 * Checks what Node's parser lets pass of RFC 9112 and 9110: version, Host, request target, transfer coding, expectation.
 * @throws E_REQUEST_VERSION, E_REQUEST_HTTP, E_REQUEST_TRANSFER, E_REQUEST_EXPECT
 */
export function readHead(request: IncomingMessage): Head {
  const { httpVersion, headers, url = '/' } = request;
  if (request.httpVersionMajor !== 1) throw new HoneError('E_REQUEST_VERSION', { version: httpVersion });
  const twice = repeated(request.rawHeaders);
  if (twice !== undefined) throw wrong(`the field ${twice} is there twice`);
  if (headers.host === undefined && httpVersion !== '1.0') throw wrong('the field host is missing');
  if (headers.host === '') throw wrong('the field host is empty');
  checkCoding(headers['transfer-encoding'], httpVersion);
  checkExpectation(request);
  if (url.includes('#')) throw wrong('the request target has a fragment');
  return targetOf(url, authority(headers.host ?? ''));
}

/** The first of the single fields that is there more than once. */
function repeated(raw: readonly string[]): string | undefined {
  const found = new Set<string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index].toLowerCase();
    if (!SINGLE.includes(name)) continue;
    if (found.has(name)) return name;
    found.add(name);
  }
  return undefined;
}

/** Whether the client waits to be told before it sends the body. */
export function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect?.trim().toLowerCase() === '100-continue';
}

function checkCoding(coding: string | undefined, httpVersion: string): void {
  if (coding === undefined) return;
  if (httpVersion === '1.0') throw wrong('HTTP/1.0 has no Transfer-Encoding');
  // RFC 9112, 6.3: nobody could tell where the body ends.
  if (!/(^|,)\s*chunked$/i.test(coding)) throw wrong('chunked is not the last transfer coding');
  if (coding.toLowerCase() !== 'chunked') throw new HoneError('E_REQUEST_TRANSFER', { coding: coding.slice(0, 100) });
}

function checkExpectation(request: IncomingMessage): void {
  const { expect } = request.headers;
  // A server of HTTP/1.0 knows none, and ignores it (RFC 9110, 10.1.1).
  if (expect === undefined || request.httpVersion === '1.0' || expectsContinue(request)) return;
  throw new HoneError('E_REQUEST_EXPECT', { expectation: expect.slice(0, 100) });
}

/** RFC 9112, 3.2: a target in absolute form says the host itself, whatever Host says. */
function targetOf(url: string, host: string): Head {
  if (url.startsWith('/') || url === '*') return { target: url, host };
  const [, named, path] = /^http:\/\/([^/?]+)([/?].*)?$/i.exec(url) ?? [];
  if (named === undefined) throw wrong('the request target is neither a path nor an address of http');
  const target = path ?? '/';
  return { target: target.startsWith('?') ? `/${target}` : target, host: authority(named) };
}

function authority(text: string): string {
  if (!AUTHORITY.test(text)) throw wrong('the host is not a name or address with a port');
  return text;
}

function wrong(reason: string): HoneError {
  return new HoneError('E_REQUEST_HTTP', { reason });
}
