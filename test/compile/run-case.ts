import { type Compiled, compile } from '../../lib/compile/compile';
import type { PlanArray } from '../../lib/engine/addon';
import { numbersOf } from '../../lib/engine/arrays';
import { openSession } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, type ViewType, viewAs } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';
import { openReference, type ReferenceOptions } from '../../lib/reference/session';

export const HASH = '0'.repeat(64);

/** Plan of a graph as it stands (numeric shapes); every pass checked. */
export function compiled(graph: Graph): Compiled {
  return compile(prepare(graph, { verify: true }).graph, { sourceHash: HASH });
}

/** Outputs of the engine by name, as numbers. */
export function runEngine(
  plan: Uint8Array,
  feeds: ReadonlyMap<string, Tensor>,
  threads = 1,
): Record<string, ReturnType<typeof numbersOf>> {
  const session = openSession(plan, { threads });
  try {
    const found = session.run(Object.fromEntries([...feeds].map(([name, tensor]) => [name, feedOf(tensor)])));
    return Object.fromEntries(Object.entries(found).map(([name, array]) => [name, numbersOf(array)]));
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
export function arrayOf(tensor: Tensor): Float32Array | Int8Array | Uint8Array {
  return viewAs(tensor, tensor.type as 'float32' | 'int8' | 'uint8');
}

/** The elements of a tensor as a session takes them. */
export function feedOf(tensor: Tensor): PlanArray {
  return viewAs(tensor, tensor.type as ViewType) as PlanArray;
}
