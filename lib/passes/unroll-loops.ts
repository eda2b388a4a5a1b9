import { attributes } from '../ir/attribute';
import { identityNode, typeOf } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import { tensorFrom, toNumbers } from '../ir/tensor';
import { normalizeAxis } from '../ops/axes';
import { Splicer } from './splicer';

/** Most nodes that one Loop or Scan may become. */
const MOST_NODES = 1 << 14;

/**
 * The graph with the rounds of every Loop and Scan one behind the other, as engines without subgraphs want it: where their number
 * is known, the condition of a Loop stays true, and they are not beyond reason together. Returns the same graph when there is none.
 */
export function unrollLoops(graph: Graph): Graph {
  const splicer = new Splicer(graph);
  for (const node of graph.nodes) {
    const body = node.attributes.get('body');
    if (node.domain !== '' || body?.kind !== 'graph') continue;
    if (node.op === 'Scan') unrollScan(splicer, graph, node, body.value);
    if (node.op === 'Loop') unrollLoop(splicer, graph, node, body.value);
  }
  return splicer.result();
}

/** Values that a loop hands from round to round, and what each round adds to the stacked outputs. */
interface Rounds {
  readonly nodes: Node[];
  states: readonly string[];
  readonly stacked: string[][];
}

/** Puts the rounds in the place of a loop: its states, then the stacked outputs along their axes, first round first or last. */
function finish(
  splicer: Splicer,
  node: Node,
  { nodes, states, stacked }: Rounds,
  axisOf: (index: number) => number,
  isReversed: (index: number) => boolean,
): void {
  const columns = stacked.map((parts, index) => {
    const axis = axisOf(index);
    const axes = splicer.constant(node, tensorFrom('int64', [1], [axis]));
    const raised = parts.map((part) => splicer.node(node, 'Unsqueeze', [part, axes], new Map()));
    nodes.push(...raised);
    const names = raised.map(({ outputs }) => outputs[0]);
    return { axis, names: isReversed(index) ? names.reverse() : names };
  });
  splicer.replace(node, nodes, (index, output, name) => {
    if (index < states.length) return identityNode(name, states[index], output);
    const { axis, names } = columns[index - states.length];
    return { name, op: 'Concat', domain: '', inputs: names, outputs: [output], attributes: attributes({ axis }) };
  });
}

function unrollScan(splicer: Splicer, graph: Graph, node: Node, body: Graph): void {
  const scanned = intAttribute(node, 'num_scan_inputs', 0);
  const first = node.inputs.length - scanned;
  const axes = Array.from({ length: scanned }, (_, index) => {
    const shape = typeOf(graph, node.inputs[first + index])?.shape;
    const axis = shape && normalizeAxis(listAttribute(node, 'scan_input_axes')[index] ?? 0, shape.length);
    return axis === undefined ? undefined : { axis, extent: shape![axis] };
  });
  const count = axes[0]?.extent;
  if (typeof count !== 'number' || count < 1 || axes.some((axis) => axis?.extent !== count)) return;
  if (body.inputs.length !== node.inputs.length || count * (body.nodes.length + scanned) > MOST_NODES) return;
  const outputs = body.outputs.length - first;
  const rounds: Rounds = {
    nodes: [],
    states: node.inputs.slice(0, first),
    stacked: Array.from({ length: outputs }, () => []),
  };
  for (let round = 0; round < count; round++) {
    const parts = axes.map((place, index) => {
      const isBackward = (listAttribute(node, 'scan_input_directions')[index] ?? 0) === 1;
      const at = splicer.constant(node, tensorFrom('int64', [], [isBackward ? count - 1 - round : round]));
      const part = splicer.node(node, 'Gather', [node.inputs[first + index], at], attributes({ axis: place!.axis }));
      rounds.nodes.push(part);
      return part.outputs[0];
    });
    runBody(splicer, node, body, [...rounds.states, ...parts], rounds, 0);
  }
  const rankOf = (index: number): number => typeOf(graph, node.outputs[first + index])?.shape?.length ?? 1;
  finish(
    splicer,
    node,
    rounds,
    (index) => normalizeAxis(listAttribute(node, 'scan_output_axes')[index] ?? 0, rankOf(index)) ?? 0,
    (index) => (listAttribute(node, 'scan_output_directions')[index] ?? 0) === 1,
  );
}

function unrollLoop(splicer: Splicer, graph: Graph, node: Node, body: Graph): void {
  const [limit, condition] = node.inputs.slice(0, 2).map((name) => graph.initializers.get(name));
  const count = limit?.type === 'int64' ? toNumbers(limit)[0] : undefined;
  if (count === undefined || count < 1 || body.inputs.length !== node.inputs.length) return;
  if ((node.inputs[1] ?? '') !== '' && !(condition && toNumbers(condition)[0])) return;
  if (!staysTrue(body) || count * body.nodes.length > MOST_NODES) return;
  const yes = splicer.constant(node, tensorFrom('bool', [], [1]));
  const stateCount = node.inputs.length - 2;
  const outputs = body.outputs.length - 1 - stateCount;
  const rounds: Rounds = {
    nodes: [],
    states: node.inputs.slice(2),
    stacked: Array.from({ length: outputs }, () => []),
  };
  for (let round = 0; round < count; round++) {
    const number = splicer.constant(node, tensorFrom('int64', [], [round]));
    runBody(splicer, node, body, [number, yes, ...rounds.states], rounds, 1);
  }
  finish(
    splicer,
    node,
    rounds,
    () => 0,
    () => false,
  );
}

/** One round: its nodes, the states behind it, and its parts of the stacked outputs. `skipped` outputs come before the states. */
function runBody(
  splicer: Splicer,
  node: Node,
  body: Graph,
  inputs: readonly string[],
  rounds: Rounds,
  skipped: number,
): void {
  const { nodes, outputs } = splicer.splice(node, body, inputs);
  rounds.nodes.push(...nodes);
  const states = rounds.states.length;
  rounds.states = outputs.slice(skipped, skipped + states);
  for (const [index, parts] of rounds.stacked.entries()) parts.push(outputs[skipped + states + index]);
}

/** Whether the condition that the body of a Loop gives is true, or the one that it got. */
function staysTrue(body: Graph): boolean {
  let name = body.outputs[0];
  for (let maker = makerOf(body, name); maker?.op === 'Identity' || maker?.op === 'Cast'; maker = makerOf(body, name))
    name = maker.inputs[0];
  const constant = body.initializers.get(name) ?? constantOf(makerOf(body, name));
  return name === body.inputs[1] || (constant?.type === 'bool' && toNumbers(constant)[0] === 1);
}

function makerOf(body: Graph, value: string): Node | undefined {
  return body.nodes.find(({ outputs }) => outputs.includes(value));
}

function constantOf(node: Node | undefined) {
  const entry = node?.op === 'Constant' ? node.attributes.get('value') : undefined;
  return entry?.kind === 'tensor' ? entry.value : undefined;
}

function intAttribute(node: Node, name: string, fallback: number): number {
  const entry = node.attributes.get(name);
  return entry?.kind === 'int' ? entry.value : fallback;
}

function listAttribute(node: Node, name: string): readonly number[] {
  const entry = node.attributes.get(name);
  return entry?.kind === 'ints' ? entry.value : [];
}
