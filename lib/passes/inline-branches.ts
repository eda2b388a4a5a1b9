import type { Diagnostic } from '../core/diagnostic';
import { attributes } from '../ir/attribute';
import { identityNode, makeNames, namesOf, typeOf } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import { tensorFrom, toNumbers } from '../ir/tensor';
import { ENGINE_DOMAIN, requireOperator } from '../ops/operators/require';
import { Splicer } from './splicer';

/**
 * The graph with the branch in place of every If whose condition is constant. Names of the branch are made unique. Returns the same
 * graph when there is none.
 */
export function inlineBranches(graph: Graph): Graph {
  const splicer = new Splicer(graph);
  for (const node of graph.nodes) {
    const condition = node.op === 'If' ? graph.initializers.get(node.inputs[0]) : undefined;
    if (condition?.type !== 'bool' || toNumbers(condition).length !== 1) continue;
    const branch = branchOf(node, toNumbers(condition)[0] !== 0 ? 'then_branch' : 'else_branch');
    if (branch === undefined) continue;
    const { nodes, outputs } = splicer.splice(node, branch);
    splicer.replace(node, nodes, (index, output, name) => identityNode(name, outputs[index], output));
  }
  return splicer.result();
}

/**
 * The graph with both branches, and a Where behind them, in place of every If whose branches give values of one shape: nothing
 * that a node of a branch does shows but by its outputs. An engine may still leave out what a condition does not ask for.
 * `attempt` brings a graph as far as it goes, and gives nothing for one that contradicts itself: a branch that cannot be right
 * for the shapes at hand could only fail, so the other one is taken for granted, and a note says so; `fail`: the engine looks in
 * every run whether the condition asks for it. Returns the same graph when there is nothing to replace.
 */
export function selectBranches(
  graph: Graph,
  attempt: (graph: Graph) => Graph | undefined,
  notes: Diagnostic[],
  onLeftOut: 'fail' | 'ignore' = 'ignore',
): Graph {
  const splicer = new Splicer(graph);
  for (const node of graph.nodes) {
    const [then, other] = [branchOf(node, 'then_branch'), branchOf(node, 'else_branch')];
    const condition = graph.values.get(node.inputs[0])?.shape;
    if (!then || !other || !condition?.every((dim) => dim === 1)) continue;
    const [yes, no] = [1, 0].map((truth) => attempt(inlineBranches(withCondition(graph, node, truth))));
    if (!yes !== !no) {
      const { nodes, outputs } = splicer.splice(node, yes ? then : other);
      splicer.replace(node, nodes, (index, output, name) =>
        onLeftOut === 'fail'
          ? {
              name: index === 0 ? node.name : name,
              op: requireOperator.op,
              domain: ENGINE_DOMAIN,
              inputs: [outputs[index], node.inputs[0]],
              outputs: [output],
              attributes: attributes({ value: yes ? 1 : 0 }),
            }
          : identityNode(name, outputs[index], output),
      );
      notes.push(leftOut(node, yes ? 'else' : 'then', yes ? 'then' : 'else', onLeftOut));
    } else if (yes && no && node.outputs.every((output) => agree(output, yes, no, condition.length))) {
      const [a, b] = [splicer.splice(node, then), splicer.splice(node, other)];
      splicer.replace(node, [...a.nodes, ...b.nodes], (index, output, name) => ({
        name,
        op: 'Where',
        domain: '',
        inputs: [node.inputs[0], a.outputs[index], b.outputs[index]],
        outputs: [output],
        attributes: new Map(),
      }));
    }
  }
  return splicer.result();
}

function leftOut(node: Node, left: string, taken: string, onLeftOut: 'fail' | 'ignore'): Diagnostic {
  return {
    severity: 'warning',
    kind: 'branch-left-out',
    where: node.name,
    message: `its ${left} branch cannot be right for inputs of these shapes: the ${taken} branch is taken, ${
      onLeftOut === 'fail' ? 'and a run whose condition asks for the other fails' : 'whatever the condition says'
    }`,
  };
}

/** Whether a value has one known shape in both graphs, of no fewer axes than the condition. */
function agree(output: string, yes: Graph, no: Graph, rank: number): boolean {
  if (output === '') return true;
  const [a, b] = [yes, no].map((graph) => typeOf(graph, output)?.shape);
  if (a === undefined || b?.length !== a.length || a.length < rank) return false;
  return a.every((dim, axis) => typeof dim === 'number' && dim === b[axis]);
}

/** The graph with a constant as the condition of one of its nodes, whose outputs stay (constant ones too: their shapes count). */
function withCondition(graph: Graph, node: Node, truth: number): Graph {
  const name = makeNames(namesOf(graph))(`${node.name}/taken`);
  const initializers = new Map([...graph.initializers, [name, tensorFrom('bool', [], [truth])] as const]);
  const nodes = graph.nodes.map((each) => (each === node ? { ...each, inputs: [name] } : each));
  const outputs = [...new Set([...graph.outputs, ...node.outputs])].filter((output) => output !== '');
  return { ...graph, nodes, initializers, outputs };
}

/** A branch of an If. */
function branchOf(node: Node, name: 'then_branch' | 'else_branch'): Graph | undefined {
  if (node.op !== 'If' || node.domain !== '') return undefined;
  const entry = node.attributes.get(name);
  if (entry?.kind !== 'graph' || entry.value.outputs.length < node.outputs.length) return undefined;
  return entry.value.inputs.length === 0 ? entry.value : undefined;
}
