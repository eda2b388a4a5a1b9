import { HoneError } from '../core/error';

/** Makes the error that says what is wrong with the bytes at hand. */
export type Fault = (reason: string) => HoneError;

/** What is wrong with a request. */
export const badRequest: Fault = (reason) => new HoneError('E_REQUEST_FORMAT', { reason });

/** What is wrong with a response. */
export const badResponse: Fault = (reason) => new HoneError('E_RESPONSE_FORMAT', { reason });

/** Most characters of a string that a message shows. */
const EXCERPT = 60;

/** A value out of JSON in a few words, short enough to be shown. */
export function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') {
    const text = JSON.stringify(value);
    return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}...` : text;
  }
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** True for an object of JSON that is no list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
