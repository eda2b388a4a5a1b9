import { asHoneError, type ErrorDetails, HoneError } from '../core/error';
import { ERRORS, type ErrorCode } from '../core/error-table';
import { printable } from '../core/printable';

/** An error as it goes over the wire. */
export interface WireError {
  readonly code: string;
  readonly details: ErrorDetails;
}

/** What is sent of an error. */
export function writeWireError(error: unknown): WireError {
  const { code, details } = asHoneError(error);
  // JSON has no big integers.
  const numbers = Object.entries(details).map(([key, value]) => [
    key,
    typeof value === 'bigint' ? Number(value) : value,
  ]);
  return { code, details: Object.fromEntries(numbers) as ErrorDetails };
}

/** Longest text of an error that is kept. */
const TEXT_LIMIT = 2000;

/** The error that the other end met, as the same error here, its texts printable; E_INTERNAL with `otherwise` for one that is not known here. */
export function readWireError(json: unknown, otherwise: string): HoneError {
  const { code, details } = (json ?? {}) as Partial<Record<keyof WireError, unknown>>;
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code))
    return new HoneError('E_INTERNAL', { message: otherwise });
  const shown = Object.entries((details ?? {}) as ErrorDetails).map(([key, value]) => [
    key,
    typeof value === 'string' ? printable(value, TEXT_LIMIT) : value,
  ]);
  return new HoneError(code as ErrorCode, Object.fromEntries(shown) as ErrorDetails);
}
