import { HoneError } from '../core/error';
import type { ExternalData } from './external-data';

/** What the parts of the reader share. */
export interface ReadContext {
  /** The file, for messages. */
  readonly path: string;
  /** Where tensors outside the file come from; undefined when the model came without its folder. */
  readonly external: ExternalData | undefined;
}

/** Error E_ONNX_FORMAT for this file. */
export function formatError(context: ReadContext, reason: string): HoneError {
  return new HoneError('E_ONNX_FORMAT', { path: context.path, reason });
}

/** Error E_ONNX_UNSUPPORTED for this file; `what` as in "uses ...". */
export function unsupported(context: ReadContext, what: string): HoneError {
  return new HoneError('E_ONNX_UNSUPPORTED', { path: context.path, what });
}

/** What `action` returns; plain errors (of the wire layer) become E_ONNX_FORMAT. */
export function guard<T>(context: ReadContext, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof HoneError) throw error;
    throw new HoneError(
      'E_ONNX_FORMAT',
      { path: context.path, reason: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  }
}
