import type { IncomingMessage, ServerResponse } from 'node:http';
import { HoneError } from '../../../core/error';

/** Names by which a client on this machine calls it; four numbers of 0 to 255 that begin with 127 among them. */
const LOOPBACK = /^(localhost|127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Refuses what a page of another site would send to an agent on loopback (DNS rebinding, cross-site requests), and tells pages of
 * listed origins that they may read the answer.
 * @param origins exact origins, such as `http://dash.local:3000`, whose pages may ask
 * @throws E_REQUEST_ORIGIN
 */
export function checkOrigin(
  { headers }: IncomingMessage,
  response: ServerResponse,
  origins: ReadonlySet<string>,
): void {
  const { host = '', origin } = headers;
  if (!LOOPBACK.test(host)) throw new HoneError('E_REQUEST_ORIGIN', { origin: host.slice(0, 200) });
  if (origin === undefined) return;
  if (origins.has(origin)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('vary', 'Origin');
  } else if (origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    throw new HoneError('E_REQUEST_ORIGIN', { origin: origin.slice(0, 200) });
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
