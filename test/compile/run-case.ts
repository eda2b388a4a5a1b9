import { type Compiled, compile } from '../../lib/compile/compile';
import type { PlanArray } from '../../lib/engine/addon';
import { openSession } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, viewAs } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';
import { openReference, type ReferenceOptions } from '../../lib/reference/session';

export const HASH = '0'.repeat(64);

/** Plan of a graph as it stands (numeric shapes); every pass checked. */
export function compiled(graph: Graph): Compiled {
  return compile(prepare(graph, { verify: true }).graph, { sourceHash: HASH });
}

/** Outputs of the engine by name. */
export function runEngine(
  plan: Uint8Array,
  feeds: ReadonlyMap<string, Tensor>,
  threads = 1,
): Record<string, PlanArray> {
  const session = openSession(plan, { threads });
  try {
    return session.run(Object.fromEntries([...feeds].map(([name, tensor]) => [name, arrayOf(tensor)])));
  } finally {
    session.close();
  }
}

/** Outputs of onnxruntime by name; every node as written unless told. */
export async function runReference(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  optimization: ReferenceOptions['optimization'] = 'disabled',
): Promise<Map<string, Tensor>> {
  const reference = await openReference(graph, { optimization });
  try {
    return await reference.run(feeds);
  } finally {
    await reference.close();
  }
}

/** The elements of a float32, int8 or uint8 tensor. */
export function arrayOf(tensor: Tensor): PlanArray {
  return viewAs(tensor, tensor.type as 'float32' | 'int8' | 'uint8');
}
