import { ERRORS, type ErrorCode } from './error-table';

/** Values that fill the `{name}` places of an error template. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | bigint>>;

/** The one error class of Hone. `code` is stable; the text is not. */
export class HoneError extends Error {
  readonly code: ErrorCode;
  /** What the user can do about it, one sentence. */
  readonly hint: string;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    const entry = ERRORS[code];
    super(fill(entry.template, details), options);
    this.name = 'HoneError';
    this.code = code;
    this.hint = fill(entry.hint, details);
    this.details = details;
  }
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (place, key: string) => (key in details ? String(details[key]) : place));
}

/** The HoneError in `error`, or `error` wrapped as E_INTERNAL: what a command prints. */
export function asHoneError(error: unknown): HoneError {
  if (error instanceof HoneError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HoneError('E_INTERNAL', { message }, { cause: error });
}
