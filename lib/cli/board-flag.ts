import type { BoardConnection } from '../boards/board-connection';
import { type Board, resolveBoard } from '../boards/inventory';
import { openLink } from '../boards/open-link';
import { reachBoard } from '../boards/reach-board';
import type { AgentClient } from '../client/client';
import { readInventory } from '../jobs/board-inventory';
import type { Console } from './console';
import { text } from './flags';
import type { OptionValues, VerbOption } from './verb';

/** The option of every verb that can mean a board. */
export const BOARD: VerbOption = {
  flags: '--board <board>',
  description: 'the board that is meant: a name of `hone board add`, what ssh takes (pi@raspberrypi.local), or `local`',
};

/** The board that the options mean, else HONE_BOARD; undefined for this machine. @throws E_BOARD_DESTINATION, E_BOARD_INVENTORY */
export async function boardOf(options: OptionValues): Promise<Board | undefined> {
  const name = text(options, 'board') ?? process.env.HONE_BOARD ?? 'local';
  return name === 'local' ? undefined : resolveBoard(await readInventory(), name);
}

/** Does something with a board's agent, and lets go of it. @throws what `reachBoard` throws */
export async function withBoard<T>(
  { destination, folder }: Board,
  console: Console,
  use: (connection: BoardConnection) => Promise<T>,
): Promise<T> {
  const link = openLink(destination);
  try {
    const place = folder === undefined ? {} : { folder };
    const connection = await reachBoard(link, { ...place, signal: console.signal });
    try {
      return await use(connection);
    } finally {
      connection.close();
    }
  } finally {
    await link.close();
  }
}

/** The same with a client of its agent's HTTP port. */
export function withBoardAgent<T>(
  target: Board,
  console: Console,
  use: (client: AgentClient) => Promise<T>,
): Promise<T> {
  return withBoard(target, console, async (connection) => {
    const client = await connection.agentClient();
    try {
      return await use(client);
    } finally {
      client.close();
    }
  });
}
