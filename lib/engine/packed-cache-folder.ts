import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { HoneError } from '../core/error';

/**
 * Folder of the cache of packed weights that option `packedCache` means, '' for none: a path as it is; true: HONE_CACHE, else
 * `hone/packed` in XDG_CACHE_HOME or `~/.cache`; undefined: HONE_CACHE, else none.
 * @throws E_OPTION_VALUE
 */
export function packedCacheFolder(given: boolean | string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  if (given !== undefined && typeof given !== 'boolean' && (typeof given !== 'string' || given === ''))
    throw new HoneError('E_OPTION_VALUE', {
      option: 'packedCache',
      expected: 'true, false or a folder',
      found: `'${String(given)}'`,
    });
  if (given === false) return '';
  const named = typeof given === 'string' ? given : env.HONE_CACHE || (given ? defaultFolder(env) : '');
  if (named === '') return '';
  return resolve(named);
}

function defaultFolder({ XDG_CACHE_HOME: base = '' }: NodeJS.ProcessEnv): string {
  // A relative path there is to be ignored (XDG Base Directory Specification).
  return join(isAbsolute(base) ? base : join(homedir(), '.cache'), 'hone/packed');
}
