import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { constants, deflate, gunzip, gzip, inflate } from 'node:zlib';
import { HoneError } from '../../../core/error';

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;
const ENCODERS = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;
type Encoding = keyof typeof DECODERS;

/**
 * The body as it was before the client compressed it.
 * @param limit bytes that it may have
 * @throws E_REQUEST_ENCODING for other encodings than gzip and deflate; E_REQUEST_SIZE; E_REQUEST_FORMAT
 */
export async function decodeBody(request: IncomingMessage, body: Uint8Array, limit: number): Promise<Uint8Array> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return body;
  if (!(encoding in DECODERS)) throw new HoneError('E_REQUEST_ENCODING', { encoding: encoding.slice(0, 100) });
  try {
    return await DECODERS[encoding as Encoding](body, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new HoneError('E_REQUEST_SIZE', { limit });
    const reason = `the body is not ${encoding}: ${(error as Error).message}`;
    throw new HoneError('E_REQUEST_FORMAT', { reason }, { cause: error });
  }
}

/**
 * The encoding that a client asks for by naming it alone, as clients of inference servers do; what browsers and libraries send
 * with every request names several, and compressing tensors that nobody asked for would cost more than it saves.
 */
export function wantedEncoding({ headers }: IncomingMessage): Encoding | undefined {
  const wanted = headers['accept-encoding']?.toString().trim().toLowerCase() ?? '';
  return wanted in ENCODERS ? (wanted as Encoding) : undefined;
}

export function encodeBody(encoding: Encoding, chunks: readonly Uint8Array[]): Promise<Buffer> {
  // The fastest level: a board has better things to do.
  return ENCODERS[encoding](Buffer.concat(chunks), { level: constants.Z_BEST_SPEED });
}
