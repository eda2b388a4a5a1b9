import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Graph } from '../../lib/ir/graph';
import { writeFileAtomically } from '../../lib/jobs/write-file';
import { readModel } from '../../lib/onnx/read-model';
import { writeModel } from '../../lib/onnx/write-model';
import { ROOT } from '../environment';

/**
 * The net that `make` gives for these settings: from `.cache/training` (which git ignores) when it was made before. Code that
 * `make` runs is not among the settings: delete the folder to train anew.
 */
export async function cachedNet(name: string, settings: object, make: () => Promise<Graph>): Promise<Graph> {
  const hash = createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);
  const path = join(ROOT, '.cache/training', `${name}-${hash}.onnx`);
  if (existsSync(path)) return readModel(await readFile(path));
  const net = await make();
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, writeModel(net));
  return net;
}
