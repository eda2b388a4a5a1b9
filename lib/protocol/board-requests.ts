import { HoneError } from '../core/error';
import { BOARD_LIMITS, isDigest, type PlanPlacement, type PutRequest } from './board-frames';
import { found, isObject } from './found';

type Json = Readonly<Record<string, unknown>>;

/** The digests of a `blobs` request. @throws E_FRAME_FORMAT */
export function readBlobsRequest(json: unknown): readonly string[] {
  const { sha256 } = objectWith(json, ['sha256']);
  const { digests: limit } = BOARD_LIMITS;
  if (!Array.isArray(sha256) || sha256.length > limit || !sha256.every(isDigest))
    throw refuse(`'sha256' is a list of at most ${limit} digests`, sha256);
  return sha256;
}

/** @throws E_FRAME_FORMAT */
export function readPutRequest(json: unknown, payloadBytes: number): PutRequest {
  const { sha256, offset, size } = objectWith(json, ['sha256', 'offset', 'size']);
  const digest = digestOf(sha256);
  if (!isWhole(size, 0, BOARD_LIMITS.blobBytes)) throw refuse(`'size' is 0 to ${BOARD_LIMITS.blobBytes}`, size);
  if (!isWhole(offset, 0, size - payloadBytes)) throw refuse(`'offset' is 0 to ${size - payloadBytes} here`, offset);
  return { sha256: digest, offset, size };
}

/** The digest of a `commit` request. @throws E_FRAME_FORMAT */
export function readCommitRequest(json: unknown): string {
  return digestOf(objectWith(json, ['sha256']).sha256);
}

/** What is to be placed; what its settings may be is the catalogue's matter. @throws E_FRAME_FORMAT */
export function readPlacement(json: unknown): PlanPlacement {
  const placement = objectWith(json, ['name', 'version', 'sha256', 'threads', 'queue', 'timeoutMs', 'batch']);
  for (const key of ['name', 'version'])
    if (typeof placement[key] !== 'string') throw refuse(`'${key}' is text`, placement[key]);
  digestOf(placement.sha256);
  return placement as unknown as PlanPlacement;
}

/** Bytes of the log that are asked for. @throws E_FRAME_FORMAT */
export function readLogsRequest(json: unknown): number {
  const { bytes } = objectWith(json, ['bytes']);
  if (isWhole(bytes, 1, BOARD_LIMITS.logBytes)) return bytes;
  throw refuse(`'bytes' is 1 to ${BOARD_LIMITS.logBytes}`, bytes);
}

/** @throws E_FRAME_FORMAT */
export function requireNothing(json: unknown): void {
  if (json !== null) objectWith(json, []);
}

/** Bytes of a credit. @throws E_FRAME_FORMAT */
export function readCredit(json: unknown): number {
  const { bytes } = objectWith(json, ['bytes']);
  if (isWhole(bytes, 1, BOARD_LIMITS.tunnelBytes)) return bytes;
  throw refuse(`a credit is 1 to ${BOARD_LIMITS.tunnelBytes} bytes`, bytes);
}

function objectWith(json: unknown, keys: readonly string[]): Json {
  if (!isObject(json)) throw refuse('a request needs an object', json);
  const other = Object.keys(json).find((key) => !keys.includes(key));
  if (other !== undefined) throw refuse(`a request knows ${keys.join(', ') || 'no key'}`, other);
  return json;
}

function digestOf(value: unknown): string {
  if (isDigest(value)) return value;
  throw refuse("'sha256' is 64 small hexadecimal digits", value);
}

function isWhole(value: unknown, low: number, high: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high;
}

function refuse(expected: string, value: unknown): HoneError {
  return new HoneError('E_FRAME_FORMAT', { reason: `${expected}, found ${found(value)}` });
}
