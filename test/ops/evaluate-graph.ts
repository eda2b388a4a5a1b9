import type { Graph } from '../../lib/ir/graph';
import { toDense } from '../../lib/ops/dense';
import { findOperator } from '../../lib/ops/index';
import type { Dense, Precision } from '../../lib/ops/operator';

/** Every value of a graph in the dialect, by the reference evaluation of its operators. */
export function evaluateGraph(
  graph: Graph,
  feeds: ReadonlyMap<string, Dense>,
  precision: Precision,
): ReadonlyMap<string, Dense> {
  const values = new Map<string, Dense>(feeds);
  for (const [name, tensor] of graph.initializers) values.set(name, toDense(tensor, precision));
  for (const node of graph.nodes) {
    const evaluate = findOperator(node.domain, node.op)?.evaluate;
    if (!evaluate) throw new Error(`${node.op} cannot be evaluated`);
    const outputs = evaluate(
      node.inputs.map((name) => (name === '' ? undefined : values.get(name)!)),
      node,
      precision,
    );
    node.outputs.forEach((name, index) => {
      if (name !== '') values.set(name, outputs[index]);
    });
  }
  return values;
}
