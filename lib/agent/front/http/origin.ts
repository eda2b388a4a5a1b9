import type { IncomingMessage, ServerResponse } from 'node:http';
import { HoneError } from '../../../core/error';

/** Names by which a client on this machine calls it; four numbers of 0 to 255 that begin with 127 among them. */
const LOOPBACK = /^(localhost|127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Refuses what a page of another site would send to an agent on loopback (DNS rebinding, cross-site requests), and tells pages of
 * listed origins that they may read the answer.
 * @param host machine and port that the request was sent to; empty, as no browser sends it: any
 * @param origins exact origins, such as `http://dash.local:3000`, whose pages may ask
 * @throws E_REQUEST_ORIGIN
 */
export function checkOrigin(
  { headers: { origin } }: IncomingMessage,
  host: string,
  response: ServerResponse,
  origins: ReadonlySet<string>,
): void {
  // Before anything is refused: a cache must not give one origin the answer to another.
  if (origins.size > 0) response.setHeader('vary', 'Origin');
  if (host !== '' && !LOOPBACK.test(host)) throw refused(host);
  if (origin === undefined) return;
  if (origins.has(origin)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-expose-headers', 'inference-header-content-length, retry-after');
  } else if (origin.toLowerCase() !== `http://${host.toLowerCase()}`) throw refused(origin);
}

/** Answers a browser that asks before a request of a listed origin; `checkOrigin` has let it through. */
export function answerPreflight(response: ServerResponse, allow: string): void {
  response
    .writeHead(204, {
      'access-control-allow-methods': allow,
      'access-control-allow-headers': 'content-type, inference-header-content-length',
      'access-control-max-age': '600',
      allow,
    })
    .end();
}

function refused(origin: string): HoneError {
  return new HoneError('E_REQUEST_ORIGIN', { origin: origin.slice(0, 200) });
}
