import { z } from 'zod';
import { HoneError } from '../core/error';
import { adviceOn } from '../core/nearest';
import { printable } from '../core/printable';
import { folderWord } from './board-folder';
import { type Destination, destinationText, parseDestination } from './destination';

/** A board under a name that the user gave it. */
export interface Board {
  readonly name: string;
  readonly destination: Destination;
  /** Where Hone is on it; `~/.hone` when left out. */
  readonly folder?: string;
}

/** The boards that the user named. */
export type Inventory = readonly Board[];

const VERSION = 1;
const MOST_BOARDS = 10_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

const DOCUMENT = z.strictObject({
  version: z.literal(VERSION),
  boards: z
    .array(z.strictObject({ name: z.string().regex(NAME), destination: z.string(), folder: z.string().optional() }))
    .max(MOST_BOARDS),
});

/** Reads the text of an inventory. @throws E_BOARD_INVENTORY */
export function parseInventory(text: string, path: string): Inventory {
  const refuse = (reason: string) => new HoneError('E_BOARD_INVENTORY', { path, reason });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const version = (document as { version?: unknown } | null)?.version;
  if (version !== VERSION) throw refuse(`its version is ${printable(String(version), 40)}, ${VERSION} is known here`);
  const { data, error } = DOCUMENT.safeParse(document);
  if (data === undefined) {
    const [{ path: place, message }] = error!.issues;
    throw refuse(`${place.join('.')}: ${message}`);
  }
  const names = new Set(data.boards.map(({ name }) => name));
  if (names.size < data.boards.length) throw refuse('a name stands in it twice');
  return data.boards.map(({ name, destination, folder }) => boardOf(name, destination, folder));
}

/** The text that `parseInventory` reads as these boards. */
export function inventoryText(inventory: Inventory): string {
  const boards = inventory.map(({ destination, ...rest }) => ({ ...rest, destination: destinationText(destination) }));
  return `${JSON.stringify({ version: VERSION, boards }, null, 2)}\n`;
}

/** An inventory with one more board. @throws E_BOARD_NAME for a name that is taken or none, E_BOARD_DESTINATION, E_BOARD_FOLDER */
export function addBoard(inventory: Inventory, name: string, destination: string, folder?: string): Inventory {
  const refuse = (reason: string, advice: string) =>
    new HoneError('E_BOARD_NAME', { name: printable(name, 80), reason, advice });
  if (name === 'local' || !NAME.test(name))
    throw refuse('it cannot be the name of a board', 'Use letters, digits and _ . -, at most 63, and not `local`.');
  if (inventory.some((board) => board.name === name))
    throw refuse('a board has it already', 'Choose another, or `hone board remove --forget` that one first.');
  const added = boardOf(name, destination, folder);
  return [...inventory, added].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function boardOf(name: string, destination: string, folder: string | undefined): Board {
  if (folder !== undefined) folderWord(name, folder);
  return { name, destination: parseDestination(destination), ...(folder === undefined ? {} : { folder }) };
}

/** The board of a name. @throws E_BOARD_NAME */
export function namedBoard(inventory: Inventory, name: string): Board {
  const board = inventory.find((each) => each.name === name);
  if (board !== undefined) return board;
  const names = inventory.map((each) => each.name);
  throw new HoneError('E_BOARD_NAME', {
    name: printable(name, 80),
    reason: 'no board has it',
    ...adviceOn(name, names),
  });
}

/** The board that a user means: one of the inventory, else a destination as such. @throws E_BOARD_DESTINATION */
export function resolveBoard(inventory: Inventory, text: string): Board {
  return (
    inventory.find(({ name }) => name === text) ?? { name: printable(text, 80), destination: parseDestination(text) }
  );
}
