import { HoneError } from '../core/error';
import { printable } from '../core/printable';
import { shellQuote } from './shell-quote';

/** Where Hone is installed on a board when nothing else is said, below the user's home. */
const DEFAULT_FOLDER = '.hone';

/** Characters that neither a shell nor a unit of systemd nor a crontab reads otherwise. */
const PATH = /^[A-Za-z0-9._/+@-]{1,300}$/;

/**
 * The folder on the board as a word of a shell script: absolute, or below the home of the user there.
 * @throws E_BOARD_FOLDER
 */
export function folderWord(board: string, folder: string = DEFAULT_FOLDER): string {
  const path = folder.replace(/^~\//, '');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (!PATH.test(path) || parts.length === 0 || parts.includes('..'))
    throw new HoneError('E_BOARD_FOLDER', {
      board,
      folder: printable(folder, 100),
      reason: 'expected a path of letters, digits and . _ + @ -, without ..',
    });
  return path.startsWith('/') ? shellQuote(`/${parts.join('/')}`) : `"$HOME"/${shellQuote(parts.join('/'))}`;
}
