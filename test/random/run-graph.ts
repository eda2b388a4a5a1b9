import { compile } from '../../lib/compile/compile';
import { formatDiagnostics } from '../../lib/core/diagnostic';
import type { PlanArray } from '../../lib/engine/addon';
import { numbersOf } from '../../lib/engine/arrays';
import { openSession } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import { prepare } from '../../lib/passes/pipeline';
import { feedOf, HASH } from '../compile/run-case';

/** Difference of floats from onnxruntime, relative to 1 + |value|. */
const TOLERANCE = 1e-4;

export type Numbers = Readonly<Record<string, ArrayLike<number>>>;

/** Plan of a graph, every pass checked, as `run` makes it. */
export function planOfRandom(graph: Graph): Uint8Array {
  const { graph: prepared, diagnostics } = prepare(graph, { verify: true, pads: 'fold', subgraphs: 'inline' });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(formatDiagnostics(errors));
  return compile(prepared, { sourceHash: HASH }).plan;
}

/** Outputs of the reference rows of the engine by name. */
export function runRows(plan: Uint8Array, feeds: ReadonlyMap<string, Tensor>): Numbers {
  const session = openSession(plan, { cpu: 'ref' });
  try {
    const found = session.run(arraysOf(feeds));
    return Object.fromEntries(Object.entries(found).map(([name, array]) => [name, numbersOf(array)]));
  } finally {
    session.close();
  }
}

/** What is fed, as a session takes it. */
export function arraysOf(feeds: ReadonlyMap<string, Tensor>): Record<string, PlanArray> {
  return Object.fromEntries([...feeds].map(([name, tensor]) => [name, feedOf(tensor)]));
}

/** The elements of a tensor of any type. */
export function numbersIn(tensor: Tensor): readonly number[] {
  return Array.from(toDense(tensor, 'float64').data);
}

/** Whether two elements count as the same. */
export function isNear(a: number, b: number, isFloat: boolean, tolerance = TOLERANCE): boolean {
  return (
    a === b || (Number.isNaN(a) && Number.isNaN(b)) || (isFloat && Math.abs(a - b) <= tolerance * (1 + Math.abs(a)))
  );
}
