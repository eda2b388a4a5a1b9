import { HoneError } from '../../../core/error';
import type { HttpLimits } from './limits';

/** What Node's server found wrong with bytes of a connection, as an answer tells it; undefined: the connection itself is broken. */
export function faultOf(error: NodeJS.ErrnoException, limits: HttpLimits): HoneError | undefined {
  const { code = '', reason } = error as { readonly code?: string; readonly reason?: string };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new HoneError('E_REQUEST_SLOW', {
      reason: `a head has ${limits.headMs / 1000} s to arrive, a whole request ${limits.requestMs / 1000} s`,
    });
  if (code === 'HPE_HEADER_OVERFLOW') return new HoneError('E_REQUEST_HEAD', { limit: limits.headBytes });
  if (code === 'HPE_PAUSED_H2_UPGRADE') return new HoneError('E_REQUEST_VERSION', { version: '2' });
  if (code === 'HPE_INVALID_VERSION' && reason === 'Invalid HTTP version')
    return new HoneError('E_REQUEST_VERSION', { version: 'that the request names' });
  return code.startsWith('HPE_') ? new HoneError('E_REQUEST_HTTP', { reason: reason ?? error.message }) : undefined;
}
