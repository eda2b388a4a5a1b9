import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Inventory, inventoryText, parseInventory } from '../boards/inventory';
import { HoneError, readError } from '../core/error';
import { makeFolder } from './make-folder';
import { writeFileAtomically } from './write-file';

/** File of the boards that this user named. HONE_CONFIG_DIR overrides its folder. */
function inventoryPath(): string {
  const { HONE_CONFIG_DIR: own, XDG_CONFIG_HOME: config } = process.env;
  return join(own || join(config || join(homedir(), '.config'), 'hone'), 'boards.json');
}

/** The boards that this user named; none when there is no file. @throws E_BOARD_INVENTORY, E_FILE_ACCESS */
export async function readInventory(): Promise<Inventory> {
  const path = inventoryPath();
  try {
    return parseInventory(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof HoneError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw readError(path, error);
  }
}

/** @throws E_FILE_WRITE */
export async function writeInventory(inventory: Inventory): Promise<void> {
  const path = inventoryPath();
  await makeFolder(dirname(path), 0o700);
  await writeFileAtomically(path, inventoryText(inventory));
}
