import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Graph } from '../lib/ir/graph';
import { readModel } from '../lib/onnx/read-model';
import { openReference, type ReferenceOptions } from '../lib/reference/session';

/** The graph as onnxruntime's optimiser leaves it. */
export async function optimizedGraph(graph: Graph, options: ReferenceOptions): Promise<Graph> {
  const folder = mkdtempSync(join(tmpdir(), 'hone-optimized-'));
  try {
    const optimizedModelPath = join(folder, 'model.onnx');
    await (await openReference(graph, { ...options, optimizedModelPath })).close();
    return readModel(readFileSync(optimizedModelPath));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
