import { attribute } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph, Node } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { findOperator } from '../../lib/ops';
import { emptyLike, fromDense, toDense } from '../../lib/ops/dense';
import type { Dense, Precision } from '../../lib/ops/operator';
import { expandComposites } from '../../lib/passes/expand-composites';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { ENGINE_WAYS } from './engine-ways';

type Inputs = readonly (Dense | undefined)[];

/** How nodes are evaluated, and what the bodies of a node may read of the graph around it. */
export interface Surroundings {
  readonly precision: Precision;
  /** Whether by the formulas of the engine where it has its own. */
  readonly asEngine?: boolean;
  readonly opset: number;
  readonly find: (name: string) => Dense | undefined;
}

/**
 * Results of one node for these inputs: by the reference evaluation of its operator, or of its parts where it is made of others,
 * or of its bodies.
 */
export function evaluateNode(node: Node, inputs: Inputs, around: Surroundings): readonly Dense[] {
  if (node.domain === '' && node.op === 'If') {
    const taken = inputs[0]!.data[0] !== 0 ? 'then_branch' : 'else_branch';
    return evaluateBody(attribute(node, taken, 'graph'), [], around);
  }
  if (node.domain === '' && node.op === 'Loop') return evaluateLoop(node, inputs, around);
  if (node.domain === '' && node.op === 'Scan') return evaluateScan(node, inputs, around);
  const own = around.asEngine && node.domain === '' ? ENGINE_WAYS[node.op]?.(inputs[0]!, node) : undefined;
  if (own) return [own];
  const evaluate = findOperator(node.domain, node.op)?.evaluate;
  return evaluate ? evaluate(inputs, node, around.precision) : evaluateParts(node, inputs, around);
}

/** Outputs of a graph within a graph. */
function evaluateBody(graph: Graph, inputs: Inputs, around: Surroundings): readonly Dense[] {
  const values = new Map<string, Dense>();
  for (const [name, tensor] of graph.initializers) values.set(name, toDense(tensor, around.precision));
  for (const [i, name] of graph.inputs.entries()) values.set(name, inputs[i]!);
  const find = (name: string): Dense | undefined => (name === '' ? undefined : (values.get(name) ?? around.find(name)));
  for (const node of graph.nodes) {
    const results = evaluateNode(node, node.inputs.map(find), { ...around, find });
    for (const [i, name] of node.outputs.entries()) if (name !== '') values.set(name, results[i]);
  }
  return graph.outputs.map((name) => find(name)!);
}

/** A Loop whose condition stays true. */
function evaluateLoop(node: Node, [count, condition, ...initial]: Inputs, around: Surroundings): readonly Dense[] {
  const body = attribute(node, 'body', 'graph');
  const rounds = Array.from({ length: count!.data[0] }, (_, i) => [toDense(tensorFrom('int64', [], [i]), 'float64')]);
  return evaluateRounds(
    body,
    rounds.map(([number]) => [number, condition]),
    initial,
    1,
    around,
  );
}

/** A Scan along the first axes of its sequences; its states come before them. */
function evaluateScan(node: Node, inputs: Inputs, around: Surroundings): readonly Dense[] {
  const scanned = attribute(node, 'num_scan_inputs', 'int', 0);
  const [initial, sequences] = [inputs.slice(0, -scanned), inputs.slice(-scanned)];
  const rounds = Array.from({ length: sequences[0]!.dims[0] }, (_, i) =>
    sequences.map((sequence) => partOf(sequence!, i)),
  );
  return evaluateRounds(attribute(node, 'body', 'graph'), rounds, initial, 0, around);
}

/** The last states, then what every round adds, stacked; of the outputs of the body the first `skipped` say something else. */
function evaluateRounds(
  body: Graph,
  rounds: readonly Inputs[],
  initial: Inputs,
  skipped: number,
  around: Surroundings,
): readonly Dense[] {
  let states = initial;
  const stacked: Dense[][] = body.outputs.slice(skipped + initial.length).map(() => []);
  for (const given of rounds) {
    // A Loop has its number and condition first, a Scan its states.
    const made = evaluateBody(body, skipped > 0 ? [...given, ...states] : [...states, ...given], around);
    states = made.slice(skipped, skipped + initial.length);
    for (const [i, parts] of stacked.entries()) parts.push(made[skipped + initial.length + i]);
  }
  return [...states.map((state) => state!), ...stacked.map(stack)];
}

/** Element `index` along the first axis. */
export function partOf(whole: Dense, index: number): Dense {
  const count = whole.data.length / whole.dims[0];
  return { ...whole, dims: whole.dims.slice(1), data: whole.data.slice(index * count, (index + 1) * count) };
}

/** Tensors one behind the other along a new first axis. */
function stack(parts: readonly Dense[]): Dense {
  const whole = emptyLike(parts[0], [parts.length, ...parts[0].dims]);
  for (const [i, part] of parts.entries()) whole.data.set(part.data, i * part.data.length);
  return whole;
}

function evaluateParts(node: Node, inputs: Inputs, around: Surroundings): readonly Dense[] {
  const b = new GraphBuilder({ opset: around.opset });
  const values = new Map<string, Dense>();
  for (const [i, input] of inputs.entries()) {
    if (!input) continue;
    // Constants, since some forms want to see them; what is read are the numbers given.
    b.initializer(fromDense(input), `i${i}`);
    values.set(`i${i}`, input);
  }
  const names = inputs.map((input, i) => (input ? `i${i}` : ''));
  const outputs = node.outputs.map((_, i) => `o${i}`);
  b.nodes(node.op, names, outputs.length, Object.fromEntries(node.attributes), { outputs, domain: node.domain });
  for (const output of outputs) b.output(output);
  const { graph } = inferShapes(expandComposites(b.build()));
  const constants = [...graph.initializers].filter(([name]) => !values.has(name));
  const parts = { ...graph, inputs: [...values.keys()], initializers: new Map(constants) };
  return evaluateBody(parts, [...values.values()], around);
}
