import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tensor } from '../../lib/ir/tensor';
import { parseTensor } from '../../lib/onnx/read-tensor';
import type { Folders } from './samples';

/** Inputs that came with a model. */
export interface GoldenSet {
  readonly set: string;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

/** The sets of a model by its name; none where it came without. */
export async function goldenSets({ data }: Folders, model: string): Promise<readonly GoldenSet[]> {
  const folder = join(data, 'golden', model);
  if (!existsSync(folder)) return [];
  return Promise.all(
    readdirSync(folder)
      .sort()
      .map(async (set) => {
        const files = readdirSync(join(folder, set)).filter((file) => file.startsWith('input_'));
        const tensors = await Promise.all(
          files.map(async (file) => parseTensor(await readFile(join(folder, set, file)), file)),
        );
        return { set, feeds: new Map(tensors.map(({ name, tensor }) => [name, tensor])) };
      }),
  );
}
