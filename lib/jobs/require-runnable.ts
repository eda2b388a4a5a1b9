import type { Graph } from '../ir/graph';
import { inferShapes } from '../passes/infer-shapes';
import { requireConsistent } from '../passes/require-consistent';
import { upgrade } from '../passes/upgrade';

/**
 * Refuses a model as it was read that no runtime can compute: onnxruntime would refuse some of them, and end the process for others.
 * @throws what `requireConsistent` throws
 */
export function requireRunnable(graph: Graph): void {
  requireConsistent(inferShapes(upgrade(graph).graph));
}
