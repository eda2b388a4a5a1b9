import { attribute } from '../ir/attribute';
import { nameMaker, typeOf } from '../ir/edit';
import type { Graph, Node, ValueType } from '../ir/graph';
import { type Tensor, tensorFrom, toNumbers } from '../ir/tensor';
import { inferShapes } from './infer-shapes';

/** Symbol that the batch of a freed graph has. */
const BATCH = 'batch';

/**
 * The graph (dialect) with a symbol as first extent of its inputs, where all of them are fixed to the same number there: constants
 * of Reshape that repeat that number follow the input instead. Undefined when some output does not follow, or nothing is fixed.
 * Constants keep names and values but for those shapes. What axis 0 means inside is not proved: compare runs of one and of
 * several samples before relying on it.
 */
export function freeBatch(graph: Graph): Graph | undefined {
  const firsts = new Set(graph.inputs.map((name) => typeOf(graph, name)?.shape?.[0]));
  const [fixed] = firsts;
  if (firsts.size !== 1 || typeof fixed !== 'number') return undefined;
  const fresh = nameMaker(graph);
  const initializers = new Map(graph.initializers);
  const values = new Map<string, ValueType>();
  for (const name of graph.inputs) {
    const { type, shape } = typeOf(graph, name)!;
    values.set(name, { type, shape: [BATCH, ...shape!.slice(1)] });
  }
  for (const name of graph.outputs) values.set(name, { type: typeOf(graph, name)!.type, shape: undefined });
  const nodes = graph.nodes.map((node) => {
    const freed = freedShape(graph, node, fixed);
    if (!freed) return node;
    const name = fresh(`${node.inputs[1]}_free`);
    initializers.set(name, freed);
    return { ...node, inputs: [node.inputs[0], name] };
  });
  const { graph: result, diagnostics } = inferShapes({ ...graph, nodes, initializers, values });
  const follows = result.outputs.every((name) => typeOf(result, name)?.shape?.[0] === BATCH);
  return follows && diagnostics.every(({ severity }) => severity !== 'error') ? result : undefined;
}

/** The shape constant of a Reshape whose first entry is the batch, with what stands for the batch of the input in its place. */
function freedShape(graph: Graph, node: Node, batch: number): Tensor | undefined {
  const constant = graph.initializers.get(node.inputs[1] ?? '');
  if (node.op !== 'Reshape' || constant?.type !== 'int64') return undefined;
  const [first, ...rest] = toNumbers(constant);
  if (first !== batch || attribute(node, 'allowzero', 'int', 0) !== 0) return undefined;
  const copies = typeOf(graph, node.inputs[0])?.shape?.[0] === batch;
  if (!copies && rest.includes(-1)) return undefined;
  return tensorFrom('int64', constant.dims, [copies ? 0 : -1, ...rest]);
}
