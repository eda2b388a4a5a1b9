import type { Dataset } from '../../ir/dataset';
import { patchGraph, type Uses, usesOf } from '../../ir/edit';
import type { Graph, Node } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import { feedsOf } from '../feeds';
import type { MethodContext } from '../method';
import { first } from '../prune/measure-scores';

/** A residual branch: an addition whose one side is computed from the other side alone. */
export interface Branch {
  readonly add: Node;
  /** The side that goes past the branch. */
  readonly shortcut: string;
  /** What is only there for the branch, in graph order. */
  readonly nodes: readonly Node[];
}

/** A branch that was removed. */
export interface RemovedBranch {
  readonly branch: Branch;
  /** Squared error of the outputs on calibration samples, relative to their power. */
  readonly error: number;
}

/** Residual branches that can be removed: both sides have one shape, and nothing else reads the inside of the branch. */
export function findBranches(graph: Graph): Branch[] {
  const uses = usesOf(graph);
  return graph.nodes.flatMap((add): Branch[] => {
    if (add.op !== 'Add' || add.domain !== '' || graph.outputs.includes(add.outputs[0])) return [];
    return [add.inputs, [...add.inputs].reverse()].flatMap(([shortcut, side]) => {
      if (graph.initializers.has(side) || graph.initializers.has(shortcut) || shortcut === side) return [];
      const nodes = insideOf(graph, uses, add, shortcut, side);
      const weighed = nodes?.some(({ inputs }) => inputs.slice(1).some((name) => graph.initializers.has(name)));
      return nodes && weighed && sameShape(graph, shortcut, add.outputs[0]) ? [{ add, shortcut, nodes }] : [];
    });
  });
}

/** The nodes between `shortcut` and `side`, or undefined when something else leads in or out. */
function insideOf(graph: Graph, uses: Uses, add: Node, shortcut: string, side: string): Node[] | undefined {
  const inside = new Set<Node>();
  const open = [side];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === shortcut || value === '' || graph.initializers.has(value)) continue;
    const node = uses.producer(value);
    if (!node) return undefined;
    if (inside.has(node)) continue;
    inside.add(node);
    open.push(...node.inputs);
  }
  const closed = [...inside].every((node) =>
    node.outputs.every(
      (value) => !uses.isOutput(value) && uses.consumers(value).every((reader) => reader === add || inside.has(reader)),
    ),
  );
  return closed && inside.size > 0 ? graph.nodes.filter((node) => inside.has(node)) : undefined;
}

function sameShape(graph: Graph, a: string, b: string): boolean {
  const [left, right] = [a, b].map((value) => graph.values.get(value)?.shape);
  return left !== undefined && right !== undefined && left.join() === right.join();
}

/**
 * The graph without `count` residual branches (fewer when there are no more), one by one those whose absence changes the
 * outputs on calibration samples least. Branches with nodes that must stay are left alone.
 */
export async function removeBranches(
  graph: Graph,
  count: number,
  isKept: (node: Node) => boolean,
  samples: number,
  context: MethodContext,
): Promise<{ readonly graph: Graph; readonly removed: readonly RemovedBranch[] }> {
  const dataset = first(context.data.calibration, samples);
  const removed: RemovedBranch[] = [];
  let current = graph;
  while (removed.length < count) {
    let best: { graph: Graph; branch: Branch; error: number } | undefined;
    for (const branch of findBranches(current)) {
      if (branch.nodes.some(isKept)) continue;
      const without = patchGraph(current, { redirect: new Map([[branch.add.outputs[0], branch.shortcut]]) });
      const error = await outputError(graph, without, dataset, context);
      if (!best || error < best.error) best = { graph: without, branch, error };
    }
    if (!best) break;
    current = best.graph;
    removed.push({ branch: best.branch, error: best.error });
    context.onProgress?.('remove branches', removed.length, count);
  }
  return { graph: current, removed };
}

/** Squared difference of all outputs of two graphs, relative to the power of the first one's. */
async function outputError(
  graph: Graph,
  other: Graph,
  dataset: Dataset,
  { evaluate, signal }: MethodContext,
): Promise<number> {
  let [noise, power] = [0, 0];
  for await (const { inputs } of feedsOf(graph, dataset, signal)) {
    const [expected, found] = [
      await evaluate(graph, inputs, graph.outputs),
      await evaluate(other, inputs, other.outputs),
    ];
    for (const name of graph.outputs) {
      if (expected.get(name)!.type !== 'float32') continue;
      const [x, y] = [viewAs(expected.get(name)!, 'float32'), viewAs(found.get(name)!, 'float32')];
      for (let i = 0; i < x.length; i++) {
        noise += (x[i] - y[i]) ** 2;
        power += x[i] ** 2;
      }
    }
  }
  return power > 0 ? noise / power : 0;
}
