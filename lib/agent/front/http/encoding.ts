import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { constants, deflate, gunzip, gzip, inflate, type Zlib } from 'node:zlib';
import { HoneError } from '../../../core/error';

/** With `info`: the bytes, and the engine, which knows how many it has read. */
interface Decoded {
  readonly buffer: Buffer;
  readonly engine: Zlib;
}
type Decode = (body: Uint8Array, options: object) => Promise<Buffer | Decoded>;

const DECODERS: ReadonlyMap<string, Decode> = new Map([
  ['gzip', promisify(gunzip) as Decode],
  ['deflate', promisify(inflate) as Decode],
]);
const ENCODERS = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;
type Encoding = keyof typeof ENCODERS;

/**
 * The body as it was before the client compressed it.
 * @param limit bytes that it may have
 * @throws E_REQUEST_ENCODING for other encodings than gzip and deflate; E_REQUEST_SIZE; E_REQUEST_FORMAT
 */
export async function decodeBody(request: IncomingMessage, body: Uint8Array, limit: number): Promise<Uint8Array> {
  const encoding = nameOf(request.headers['content-encoding'] ?? 'identity');
  if (encoding === 'identity') return body;
  const decode = DECODERS.get(encoding);
  if (decode === undefined) throw new HoneError('E_REQUEST_ENCODING', { encoding: encoding.slice(0, 100) });
  const wrong = (what: string, cause?: unknown) =>
    new HoneError('E_REQUEST_FORMAT', { reason: `the body is not ${encoding}: ${what}` }, { cause });
  let decoded: Decoded;
  try {
    decoded = (await decode(body, { maxOutputLength: limit, info: true })) as Decoded;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new HoneError('E_REQUEST_SIZE', { limit });
    throw wrong((error as Error).message, error);
  }
  const left = body.length - decoded.engine.bytesWritten;
  if (left !== 0) throw wrong(`${left} bytes follow its end`);
  return decoded.buffer;
}

/**
 * The encoding of an answer that a client asks for, by naming it alone or by refusing to have none; undefined: none. What browsers
 * and libraries send with every request names several, and compressing tensors that nobody asked for would cost more than it
 * saves.
 * @throws E_RESPONSE_ENCODING when it refuses all that can be had
 */
export function wantedEncoding({ headers }: IncomingMessage): Encoding | undefined {
  const accepted = headers['accept-encoding']?.toString() ?? '';
  const weights = new Map<string, number>();
  for (const item of accepted.split(',')) {
    const [name, ...parameters] = item.split(';');
    const q = parameters.map((text) => /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/i.exec(text)?.[1]).find(Boolean);
    if (name.trim() !== '') weights.set(nameOf(name), q === undefined ? 1 : Number(q));
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0;
  const known = (['gzip', 'deflate'] as const).filter((name) => weightOf(name) > 0);
  const best = known.sort((a, b) => weightOf(b) - weightOf(a)).at(0);
  // What is not named is accepted, but for encodings.
  if ((weights.get('identity') ?? weights.get('*') ?? 1) > 0)
    return weights.size === 1 && best !== undefined && weights.has(best) ? best : undefined;
  if (best === undefined) throw new HoneError('E_RESPONSE_ENCODING', { accepted: accepted.slice(0, 100) });
  return best;
}

/** `x-gzip` is gzip (RFC 9110, 8.4.1.3). */
function nameOf(encoding: string): string {
  const name = encoding.trim().toLowerCase();
  return name === 'x-gzip' ? 'gzip' : name;
}

export function encodeBody(encoding: Encoding, chunks: readonly Uint8Array[]): Promise<Buffer> {
  // The fastest level: a board has better things to do.
  return ENCODERS[encoding](Buffer.concat(chunks), { level: constants.Z_BEST_SPEED });
}
