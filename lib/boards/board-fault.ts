import { HoneError } from '../core/error';
import { printable } from '../core/printable';

/** The error of a fault that a script of ours told, by its kind. */
export function boardFault(board: string, folder: string | undefined, kind: string, text: string): HoneError {
  const reason = printable(text, 300) || 'it ended without a word';
  const place = folder ?? '~/.hone';
  switch (kind) {
    case 'folder':
      return new HoneError('E_BOARD_FOLDER', { board, folder: place, reason });
    case 'space':
      return new HoneError('E_BOARD_FULL', { board, folder: place, reason });
    case 'busy':
      return new HoneError('E_BOARD_BUSY', { board, reason });
    case 'digest':
      return new HoneError('E_BOARD_TRANSFER', { board, path: reason });
    case 'short':
      return new HoneError('E_BOARD_DROPPED', { board, reason });
    case 'start':
      return new HoneError('E_AGENT_START', { reason, log: `${place}/logs/agent.log of ${board}` });
    default:
      return new HoneError('E_BOARD_ANSWER', { board, reason });
  }
}
