import { readFile } from 'node:fs/promises';
import { HoneError } from '../core/error';
import { formatNpy, parseNpy } from '../data/npy';
import { isZip, readZip, writeZip } from '../data/zip';
import type { Tensor } from '../ir/tensor';
import type { TrainState } from '../train/train-options';
import { writeFileAtomically } from './write-file';

/** What a checkpoint says beside its tensors; anything that JSON can hold. */
export type CheckpointNote = Readonly<Record<string, unknown>>;

export interface Checkpoint {
  readonly state: TrainState;
  readonly note: CheckpointNote;
}

/** Names inside the file: a zip archive like .npz, so that other programs can look into it. */
const HEADER = 'checkpoint.json';
const FOLDER = 'tensors/';
const FORMAT = 1;

/**
 * Writes state and note to a file, which is there as a whole or not at all. The same state and note always give the same bytes.
 * @throws E_FILE_WRITE
 */
export async function saveCheckpoint(path: string, state: TrainState, note: CheckpointNote = {}): Promise<void> {
  const files = new Map<string, Uint8Array>([
    [HEADER, new TextEncoder().encode(JSON.stringify({ format: FORMAT, step: state.step, note }))],
  ]);
  for (const [name, tensor] of state.tensors) files.set(`${FOLDER}${name}.npy`, formatNpy(tensor));
  await writeFileAtomically(path, writeZip(files, 'stored'));
}

/**
 * The checkpoint in a file; undefined when there is no such file.
 * @throws E_CHECKPOINT when it cannot be read as one
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint | undefined> {
  const found = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw broken(path, error.message);
  });
  if (found === undefined) return undefined;
  const bytes = new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
  try {
    if (!isZip(bytes)) throw new Error('it is no checkpoint');
    return parse(readZip(bytes, path), path);
  } catch (error) {
    throw broken(path, (error as Error).message);
  }
}

function parse(files: ReadonlyMap<string, Uint8Array>, path: string): Checkpoint {
  const header = files.get(HEADER);
  if (!header) throw new Error(`it lacks ${HEADER}`);
  const { format, step, note } = JSON.parse(new TextDecoder().decode(header)) as Record<string, unknown>;
  if (format !== FORMAT) throw new Error(`format ${String(format)} is not known (${FORMAT} is)`);
  if (!Number.isSafeInteger(step) || (step as number) < 0) throw new Error(`step ${JSON.stringify(step)} is no count`);
  if (typeof note !== 'object' || note === null || Array.isArray(note)) throw new Error('it lacks its note');
  const tensors = new Map<string, Tensor>();
  for (const [name, content] of files)
    if (name.startsWith(FOLDER)) tensors.set(name.slice(FOLDER.length, -'.npy'.length), parseNpy(content, path));
  return { state: { step: step as number, tensors }, note: note as CheckpointNote };
}

function broken(path: string, reason: string): HoneError {
  return new HoneError('E_CHECKPOINT', { path, reason });
}
