import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CachedStep, StepCache } from '../../compress/recipe/context';
import { fromJson, toJson } from '../../core/json';
import { loadCheckpoint, saveCheckpoint } from '../checkpoint';
import { makeFolder } from '../make-folder';
import { writeFileAtomically } from '../write-file';

/** Training steps between two saved states: what a kill costs at most, beside a few percent for saving. */
const CHECKPOINT_STEPS = 100;

/** What is stored beside the model of a step. */
interface StoredStep extends Omit<CachedStep, 'bytes'> {
  /** SHA-256 of the model. */
  readonly sha256: string;
}

/**
 * A cache of finished steps in a folder: `<key>.onnx` with `<key>.json`, and `<key>.<what>.checkpoint` while training goes on.
 * Files appear whole or not at all; what does not fit together counts as absent, so deleting any of them is harmless.
 * @throws E_FILE_WRITE when the folder cannot be made
 */
export async function openStepCache(folder: string): Promise<StepCache> {
  await makeFolder(folder);
  const path = (name: string) => join(folder, name);
  return {
    async get(key) {
      try {
        const { sha256, ...step } = fromJson(await readFile(path(`${key}.json`), 'utf8')) as StoredStep;
        const bytes = await readFile(path(`${key}.onnx`));
        return sha256Of(bytes) === sha256 ? { bytes, ...step } : undefined;
      } catch {
        return undefined;
      }
    },
    async put(key, { bytes, ...step }) {
      await writeFileAtomically(path(`${key}.onnx`), bytes);
      await writeFileAtomically(path(`${key}.json`), toJson({ sha256: sha256Of(bytes), ...step }));
      const old = (await readdir(folder)).filter((name) => name.startsWith(`${key}.`) && name.endsWith('.checkpoint'));
      for (const name of old) await rm(path(name), { force: true });
    },
    checkpoints(key) {
      // What a method calls its training may hold any character.
      const file = (what: string) => path(`${key}.${sha256Of(Buffer.from(what)).slice(0, 16)}.checkpoint`);
      return {
        everySteps: CHECKPOINT_STEPS,
        load: async (what) => (await loadCheckpoint(file(what)).catch(() => undefined))?.state,
        save: (what, state) => saveCheckpoint(file(what), state),
      };
    },
  };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
