import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Graph } from '../../../lib/ir/graph';
import { readModel } from '../../../lib/onnx/read-model';
import { openReference } from '../../../lib/reference/session';

/** Layers that run in float. */
export const FLOAT_LAYERS = [
  'Conv',
  'FusedConv',
  'NhwcFusedConv',
  'Gemm',
  'FusedGemm',
  'MatMul',
  'FusedMatMul',
  'ConvTranspose',
];

/** Operators of the graph that onnxruntime really runs. */
export async function optimizedOps(graph: Graph): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hone-optimized-'));
  try {
    const optimizedModelPath = join(folder, 'model.onnx');
    await (await openReference(graph, { optimizedModelPath, integerKernels: true })).close();
    return readModel(readFileSync(optimizedModelPath)).nodes.map(({ op }) => op);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
