import { HoneError } from '../core/error';
import { printable } from '../core/printable';
import { BoardConnection } from './board-connection';
import { folderWord } from './board-folder';
import { destinationText } from './destination';
import type { Link } from './link';

export interface ReachOptions {
  readonly folder?: string;
  /** Folders of programs, as `programFolder` names them, of which the board's agent is to be one; any when left out. */
  readonly programs?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Exit codes of the script: no agent, or another one, is installed. */
const ABSENT = 97;
const OTHER = 98;

/**
 * Speaks with the agent's program on a board, in one process of the link.
 * @throws E_BOARD_EMPTY when nothing is installed in the folder, or none of `programs`; what `Link.open` and `BoardConnection.open` throw
 */
export async function reachBoard(
  link: Link,
  { folder, programs, signal }: ReachOptions = {},
): Promise<BoardConnection> {
  const board = destinationText(link.destination);
  const known = programs?.map((program) => `*${program}/hone-agent.js*) ;;`).join(' ');
  const script = [
    `F=${folderWord(board, folder)}`,
    `[ -x "$F/hone-agent" ] || exit ${ABSENT}`,
    ...(known === undefined ? [] : [`case $(cat "$F/hone-agent") in ${known} *) exit ${OTHER} ;; esac`]),
    'exec "$F/hone-agent" --stdio --folder "$F"',
  ].join('\n');
  const { stream, ended } = await link.open(script, signal === undefined ? {} : { signal });
  try {
    return await BoardConnection.open(stream, board);
  } catch (error) {
    stream.destroy();
    // How the program ended tells more than a stream that did.
    const { code, stderr } = await ended;
    if (code === ABSENT || code === OTHER) throw new HoneError('E_BOARD_EMPTY', { board });
    if (code === 0 || stderr === '') throw error;
    throw new HoneError('E_BOARD_AGENT', { board, reason: printable(stderr.trim().split('\n').at(-1)!, 300) });
  }
}
