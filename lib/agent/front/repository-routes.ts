import { timingSafeEqual } from 'node:crypto';
import { HoneError } from '../../core/error';
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

/** Over TCP only who has the token may change what is loaded; without one nobody may. @throws E_REPOSITORY_CLOSED */
function requireToken({ request, front: { token } }: Exchange): void {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined)
    throw new HoneError('E_REPOSITORY_CLOSED', { reason: 'this agent was started without a token' });
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(token)];
  if (a.length !== b.length || !timingSafeEqual(a, b))
    throw new HoneError('E_REPOSITORY_CLOSED', {
      reason: given === undefined ? 'no token came with the request' : 'the token is another',
    });
}

async function readObject(
  { request, front, bodyEnded }: Exchange,
  known: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await front.uploads.read(request, BODY_LIMIT);
  bodyEnded();
  if (bytes.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badBody('expected a JSON object');
  requireKeys(value, known);
  return value as Readonly<Record<string, unknown>>;
}

function versionIn(parameters: unknown, known: readonly string[]): string | undefined {
  if (typeof parameters !== 'object' || parameters === null) throw badBody("'parameters' is an object");
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
