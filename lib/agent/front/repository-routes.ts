import { createHash, timingSafeEqual } from 'node:crypto';
import { HoneError } from '../../core/error';
import { parseJsonObject } from '../../protocol/json-object';
import type { Exchange } from './exchange';
import { sendJson } from './http/answer';

/** Bytes of the body of a request to load or unload. */
const BODY_LIMIT = 64 * 1024;

/** Triton's repository extension: all models that may be loaded, with `{"ready": true}` those that are. */
export async function repositoryIndex(exchange: Exchange): Promise<void> {
  const { ready } = await readObject(exchange, ['ready']);
  if (ready !== undefined && typeof ready !== 'boolean') throw badBody("'ready' is true or false");
  const entries = await exchange.front.repository.index();
  sendJson(
    exchange.response,
    200,
    entries.filter(({ state }) => ready !== true || state === 'READY'),
  );
}

export async function loadModel(exchange: Exchange): Promise<void> {
  requireToken(exchange);
  const { parameters = {} } = await readObject(exchange, ['parameters']);
  const version = versionIn(parameters, ['version']);
  await exchange.front.repository.load(exchange.segments.model, version);
  sendJson(exchange.response, 200, {});
}

export async function unloadModel(exchange: Exchange): Promise<void> {
  requireToken(exchange);
  const { parameters = {} } = await readObject(exchange, ['parameters']);
  // `unload_dependents` is what every client of Triton sends; nothing here depends on another model.
  const version = versionIn(parameters, ['version', 'unload_dependents']);
  await exchange.front.repository.unload(exchange.segments.model, version);
  sendJson(exchange.response, 200, {});
}

/** Over TCP only who has the token may change what is loaded; without one nobody may. @throws E_REPOSITORY_CLOSED, E_REPOSITORY_TOKEN */
function requireToken({ request, front: { token } }: Exchange): void {
  if (token === undefined)
    throw new HoneError('E_REPOSITORY_CLOSED', { reason: 'this agent was started without a token' });
  const given = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) throw new HoneError('E_REPOSITORY_TOKEN', { reason: 'no token came with the request' });
  if (!timingSafeEqual(digest(given), digest(token)))
    throw new HoneError('E_REPOSITORY_TOKEN', { reason: 'the token is another' });
}

/** Of one length, whatever the text. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function readObject(
  { readBody }: Exchange,
  known: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBody(BODY_LIMIT);
  if (bytes.length === 0) return {};
  const value = parseJsonObject(bytes, badBody);
  requireKeys(value, known);
  return value;
}

function versionIn(parameters: unknown, known: readonly string[]): string | undefined {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters))
    throw badBody("'parameters' is an object");
  requireKeys(parameters, known);
  const { version } = parameters as { readonly version?: unknown };
  if (version !== undefined && typeof version !== 'string') throw badBody('\'version\' is text, such as "2"');
  return version;
}

function requireKeys(value: object, known: readonly string[]): void {
  for (const key of Object.keys(value))
    if (!known.includes(key))
      throw badBody(`'${key.slice(0, 100)}' is not known here: ${known.join(', ')} may stand there`);
}

function badBody(reason: string): HoneError {
  return new HoneError('E_REQUEST_FORMAT', { reason });
}
