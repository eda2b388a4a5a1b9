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

/** An error that is an answer rather than a fault, made often: without a stack, which costs more than all the rest of it. */
export function answerError(code: ErrorCode, details: ErrorDetails): HoneError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new HoneError(code, details);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (place, key: string) => (key in details ? String(details[key]) : place));
}

/** What operating systems say about files, as Node's errors carry it. */
interface FileError {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly path?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
}

/** System calls that change files. */
const WRITING = new Set([
  'write',
  'mkdir',
  'rename',
  'unlink',
  'rmdir',
  'symlink',
  'link',
  'copyfile',
  'ftruncate',
  'fsync',
]);
/** Codes that only writing meets. */
const NO_ROOM = new Set(['ENOSPC', 'EROFS', 'EDQUOT', 'EFBIG']);
const FILE_CODES = new Set([
  ...['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EMFILE', 'ENFILE', 'EIO', 'EBUSY'],
  ...['EEXIST', 'ENOTEMPTY', 'EXDEV', ...NO_ROOM],
]);

/** Why a file cannot be read: it is not there, a folder, not permitted, or anything else that the system says. */
export function readError(path: string, error: unknown): HoneError {
  const { code, message } = error as FileError;
  const [reason, options] = [String(message), { cause: error }];
  if (code === 'EISDIR') return new HoneError('E_FILE_FOLDER', { path }, options);
  if (code === 'EACCES' || code === 'EPERM') return new HoneError('E_FILE_ACCESS', { path, reason }, options);
  return new HoneError('E_FILE_NOT_FOUND', { path, reason }, options);
}

/**
 * The HoneError in `error`: what a command prints. Errors of files and of memory get their own codes; everything else
 * is E_INTERNAL.
 */
export function asHoneError(error: unknown): HoneError {
  if (error instanceof HoneError) return error;
  // Not `instanceof`: errors of another realm are of another class.
  const { code, syscall, path, name, message: said } = (error ?? {}) as FileError;
  const message = typeof said === 'string' ? said : String(error);
  if (typeof syscall === 'string' && typeof code === 'string' && FILE_CODES.has(code)) {
    const place = typeof path === 'string' ? path : `a file (${syscall})`;
    if (!WRITING.has(syscall) && !NO_ROOM.has(code)) return readError(place, error);
    return new HoneError('E_FILE_WRITE', { path: place, reason: message }, { cause: error });
  }
  // What the engines of JavaScript say when a tensor is larger than an array can be.
  if (
    name === 'RangeError' &&
    /^(Invalid (typed )?array (buffer )?length|Array buffer allocation failed)/i.test(message)
  )
    return new HoneError('E_MEMORY', { reason: `a tensor is too large (${message})` }, { cause: error });
  return new HoneError('E_INTERNAL', { message }, { cause: error });
}

/** What an error says and what to do about it, as one text. */
export function withHint({ message, hint }: HoneError): string {
  return `${message}. ${hint}`;
}
