import type { Diagnostic } from '../core/diagnostic';
import { formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import { readsOf, sortNodes, subgraphsOf } from './edit';
import { byteLength, ELEMENT_TYPES } from './element-type';
import type { Dim, Graph, Node } from './graph';
import { unpackStringBytes } from './strings';
import { elementCount, type Tensor } from './tensor';

/**
 * Every way in which a graph breaks the rules of the representation; empty when it is sound. The executable spec:
 * - node names are unique and not empty; every value has exactly one maker (SSA), also across subgraphs
 * - nodes stand in topological order; every value that is read is made before; graph outputs exist
 * - shapes hold natural numbers or symbols; initializer bytes fill their shape (external data is not loaded for that)
 * - every domain in use has an opset version; subgraphs may capture what is made before their node
 */
export function verify(graph: Graph): Diagnostic[] {
  const found: Diagnostic[] = [];
  verifyScope(graph, undefined, graph.opsets, found);
  return found;
}

/**
 * The graph itself when it is sound.
 * @throws E_GRAPH_INVALID listing everything that is wrong
 */
export function verified(graph: Graph): Graph {
  const found = verify(graph);
  if (found.length > 0) throw new HoneError('E_GRAPH_INVALID', { diagnostics: formatDiagnostics(found) });
  return graph;
}

/** Names of the graphs around a subgraph. */
interface Scope {
  has(value: string): boolean;
}
const OUTERMOST: Scope = { has: () => false };

function verifyScope(
  graph: Graph,
  around: Scope | undefined,
  opsets: ReadonlyMap<string, number>,
  found: Diagnostic[],
): void {
  const report = (kind: string, where: string, message: string) =>
    found.push({ severity: 'error', kind, where, message });
  const outer = around ?? OUTERMOST;
  const made = new Set<string>();
  const define = (value: string, where: string) => {
    if (made.has(value)) report('defined-twice', where, `value '${value}' has more than one maker`);
    else if (outer.has(value)) report('defined-twice', where, `value '${value}' hides one of the graph around it`);
    made.add(value);
  };

  for (const input of graph.inputs) {
    if (input === '') report('empty-name', graph.name, 'a graph input has no name');
    define(input, `input ${input}`);
    // Subgraph inputs may be untyped: they take the types of the node around them.
    if (!graph.values.has(input) && around === undefined) report('untyped-input', `input ${input}`, 'no type is known');
  }
  for (const [name, tensor] of graph.initializers) {
    define(name, `initializer ${name}`);
    verifyTensor(tensor, `initializer ${name}`, report);
  }
  for (const [name, type] of graph.values)
    if (type.shape !== undefined && !type.shape.every(isDim))
      report('bad-shape', `value ${name}`, `shape [${type.shape.join(', ')}] holds something else than extents`);

  verifyNodes(graph, made, outer, opsets, define, report, found);
  for (const output of graph.outputs)
    if (!made.has(output) && !outer.has(output))
      report('undefined-value', `output ${output}`, 'nothing makes this graph output');
}

type Report = (kind: string, where: string, message: string) => void;

function verifyNodes(
  graph: Graph,
  made: Set<string>,
  outer: Scope,
  opsets: ReadonlyMap<string, number>,
  define: (value: string, where: string) => void,
  report: Report,
  found: Diagnostic[],
): void {
  const later = new Set(graph.nodes.flatMap((node) => node.outputs));
  const names = new Set<string>();
  let misplaced = false;
  for (const node of graph.nodes) {
    const where = `node ${node.name || node.op}`;
    if (node.name === '') report('empty-name', where, 'the node has no name');
    else if (names.has(node.name)) report('duplicate-name', where, 'another node has this name');
    names.add(node.name);
    if (node.op === '') report('empty-name', where, 'the node has no operator');
    if (!opsets.has(node.domain))
      report('no-opset', where, `domain '${node.domain || 'ai.onnx'}' has no opset version in the model`);
    for (const read of readsOf(node)) {
      if (made.has(read) || outer.has(read)) continue;
      if (later.has(read)) misplaced = true;
      else report('undefined-value', where, `nothing makes its input '${read}'`);
    }
    verifyAttributes(node, made, outer, opsets, report, found);
    for (const output of node.outputs) if (output !== '') define(output, where);
  }
  if (misplaced) reportOrder(graph, report);
}

function verifyAttributes(
  node: Node,
  made: ReadonlySet<string>,
  outer: Scope,
  opsets: ReadonlyMap<string, number>,
  report: Report,
  found: Diagnostic[],
): void {
  for (const [name, entry] of node.attributes)
    if (entry.kind === 'tensor') verifyTensor(entry.value, `node ${node.name}, attribute ${name}`, report);
  const subgraphs = subgraphsOf(node);
  if (subgraphs.length === 0) return;
  // `made` holds what stands before this node while the subgraphs are checked.
  const scope: Scope = { has: (value) => made.has(value) || outer.has(value) };
  for (const subgraph of subgraphs) verifyScope(subgraph, scope, opsets, found);
}

/** Tells a cycle from mere disorder. */
function reportOrder(graph: Graph, report: Report): void {
  try {
    const sorted = sortNodes(graph.nodes);
    const index = graph.nodes.findIndex((node, k) => node !== sorted[k]);
    const node = graph.nodes[index];
    report('not-sorted', `node ${node.name}`, 'the node stands before a node whose output it reads');
  } catch (error) {
    if (!(error instanceof HoneError)) throw error;
    const text = String(error.details.diagnostics);
    report('graph-cycle', graph.name, text.replace(/^error: [^:]*: | \[graph-cycle\]$/g, ''));
  }
}

function verifyTensor(tensor: Tensor, where: string, report: Report): void {
  if (!(tensor.type in ELEMENT_TYPES))
    return void report('bad-type', where, `element type '${tensor.type}' is unknown`);
  if (!tensor.dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0))
    return void report('bad-shape', where, `shape [${tensor.dims.join(', ')}] holds something else than extents`);
  if (isExternal(tensor)) return;
  if (tensor.type === 'string') return void verifyStrings(tensor, where, report);
  const expected = byteLength(tensor.type, elementCount(tensor.dims));
  if (tensor.bytes.byteLength !== expected)
    report(
      'wrong-length',
      where,
      `expected ${expected} bytes for ${tensor.type} [${tensor.dims.join(', ')}], found ${tensor.bytes.byteLength}`,
    );
}

function verifyStrings(tensor: Tensor, where: string, report: Report): void {
  const expected = elementCount(tensor.dims);
  const found = countStrings(tensor);
  if (found !== expected)
    report('wrong-length', where, `expected ${expected} strings, found ${found ?? 'bytes that hold no strings'}`);
}

function countStrings(tensor: Tensor): number | undefined {
  try {
    return unpackStringBytes(tensor).length;
  } catch {
    return undefined;
  }
}

/** External tensors load on access through a getter; the reader checked their length against the file. */
function isExternal(tensor: Tensor): boolean {
  return Object.getOwnPropertyDescriptor(tensor, 'bytes')?.value === undefined;
}

function isDim(dim: Dim): boolean {
  return typeof dim === 'string' ? dim !== '' : Number.isSafeInteger(dim) && dim >= 0;
}
