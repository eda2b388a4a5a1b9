import type { Graph } from '../../../lib/ir/graph';
import { optimizedGraph } from '../../optimized-graph';

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
  return (await optimizedGraph(graph, { integerKernels: true })).nodes.map(({ op }) => op);
}
