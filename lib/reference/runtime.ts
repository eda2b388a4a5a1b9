import { HoneError } from '../core/error';

type Runtime = typeof import('onnxruntime-node');

/**
 * The onnxruntime-node module, loaded on the first call: it is an optional dependency, and loading takes a while.
 * @throws E_REFERENCE_MISSING
 */
export function loadRuntime(): Runtime {
  try {
    return require('onnxruntime-node') as Runtime;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new HoneError('E_REFERENCE_MISSING', { reason }, { cause: error });
  }
}
