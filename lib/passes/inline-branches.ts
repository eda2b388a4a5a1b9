import { identityNode, makeNames, namesOf, patchGraph, renameReads } from '../ir/edit';
import type { Graph, Node, ValueType } from '../ir/graph';
import { type Tensor, toNumbers } from '../ir/tensor';

/**
 * The graph with the branch in place of every If whose condition is constant. Names of the branch are made unique. Returns the same
 * graph when there is none.
 */
export function inlineBranches(graph: Graph): Graph {
  const chosen = graph.nodes.flatMap((node) => {
    const branch = branchOf(node, graph);
    return branch === undefined ? [] : [[node, branch] as const];
  });
  if (chosen.length === 0) return graph;
  const fresh = makeNames(namesOf(graph));
  const replace = new Map<Node, readonly Node[]>();
  const initializers = new Map<string, Tensor>();
  const values = new Map<string, ValueType>();
  for (const [node, branch] of chosen) {
    const names = new Map<string, string>();
    const own = [...branch.initializers.keys(), ...branch.nodes.flatMap(({ outputs }) => outputs)];
    for (const name of own) if (name !== '') names.set(name, fresh(`${node.name}/${name}`));
    const renamed = (name: string) => names.get(name) ?? name;
    for (const [name, tensor] of branch.initializers) initializers.set(renamed(name), tensor);
    for (const [name, type] of branch.values) if (names.has(name)) values.set(renamed(name), type);
    const inner = branch.nodes.map((each) => ({
      ...renameReads(each, names),
      name: fresh(`${node.name}/${each.name}`),
      outputs: each.outputs.map(renamed),
    }));
    const ends = node.outputs.flatMap((output, index) =>
      output === '' ? [] : [identityNode(fresh(`${node.name}/${output}`), renamed(branch.outputs[index]), output)],
    );
    replace.set(node, [...inner, ...ends]);
  }
  return patchGraph(graph, { replace, initializers, values });
}

/** The branch that an If takes, when its condition is constant. */
function branchOf(node: Node, { initializers }: Graph): Graph | undefined {
  if (node.op !== 'If' || node.domain !== '') return undefined;
  const condition = initializers.get(node.inputs[0]);
  if (condition?.type !== 'bool' || toNumbers(condition).length !== 1) return undefined;
  const entry = node.attributes.get(toNumbers(condition)[0] !== 0 ? 'then_branch' : 'else_branch');
  if (entry?.kind !== 'graph' || entry.value.outputs.length < node.outputs.length) return undefined;
  return entry.value.inputs.length === 0 ? entry.value : undefined;
}
