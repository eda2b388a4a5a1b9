import { readFile } from 'node:fs/promises';
import { HoneError, readError } from '../core/error';

/**
 * The token that a file holds.
 * @param option what named the file, for messages
 * @throws E_OPTION_VALUE for a file that holds none, E_FILE_NOT_FOUND, E_FILE_ACCESS
 */
export async function readToken(path: string, option: string): Promise<string> {
  const token = (
    await readFile(path, 'utf8').catch((error: unknown) => {
      throw readError(path, error);
    })
  ).trim();
  if (/^[\x21-\x7e]{16,512}$/.test(token)) return token;
  throw new HoneError('E_OPTION_VALUE', {
    option,
    expected: 'a file with one word of 16 to 512 characters',
    // Whatever stands there may be secret.
    found: `${path} with ${token.length} characters`,
  });
}
