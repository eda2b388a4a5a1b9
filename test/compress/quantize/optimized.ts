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

/** The graph that onnxruntime really runs, as it writes it. */
export function optimizedIntegers(graph: Graph): Promise<Graph> {
  return optimizedGraph(graph, { optimization: 'all', integerKernels: true });
}

/** Operators of the graph that onnxruntime really runs. */
export async function optimizedOps(graph: Graph): Promise<string[]> {
  return (await optimizedIntegers(graph)).nodes.map(({ op }) => op);
}
