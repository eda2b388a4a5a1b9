import { HoneError } from '../core/error';
import type { Attribute, Graph, Node, ValueType } from './graph';
import type { Tensor } from './tensor';

/** Who makes and who reads each value of one graph. Reads from inside subgraphs count for the node that carries them. */
export interface Uses {
  /** The node that makes `value`; undefined for graph inputs, initializers and unknown names. */
  producer(value: string): Node | undefined;
  /** The nodes that read `value`, each once, in graph order. */
  consumers(value: string): readonly Node[];
  isOutput(value: string): boolean;
  /** The only reader of `value`; undefined when there are several or none, or when it is also a graph output. */
  onlyConsumer(value: string): Node | undefined;
}

/** Producers and readers of a graph's values. Holds for this graph object only: graphs are immutable. */
export function usesOf(graph: Graph): Uses {
  const producers = new Map<string, Node>();
  const readers = new Map<string, Node[]>();
  const outputs = new Set(graph.outputs);
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== '') producers.set(output, node);
    for (const value of readsOf(node)) {
      const list = readers.get(value);
      if (list) list.push(node);
      else readers.set(value, [node]);
    }
  }
  return {
    producer: (value) => producers.get(value),
    consumers: (value) => readers.get(value) ?? [],
    isOutput: (value) => outputs.has(value),
    onlyConsumer: (value) => {
      const list = readers.get(value);
      return list?.length === 1 && !outputs.has(value) ? list[0] : undefined;
    },
  };
}

/** Subgraphs that a node carries as attributes. */
export function subgraphsOf(node: Node): Graph[] {
  const graphs: Graph[] = [];
  for (const entry of node.attributes.values()) if (entry.kind === 'graph') graphs.push(entry.value);
  return graphs;
}

/** Names that a subgraph reads from the graphs around it. */
export function capturesOf(subgraph: Graph): Set<string> {
  const own = new Set<string>([...subgraph.inputs, ...subgraph.initializers.keys()]);
  for (const node of subgraph.nodes) for (const output of node.outputs) own.add(output);
  const captured = new Set<string>();
  for (const node of subgraph.nodes) for (const value of readsOf(node)) if (!own.has(value)) captured.add(value);
  for (const output of subgraph.outputs) if (!own.has(output)) captured.add(output);
  return captured;
}

/** Values that a node reads, each once: its inputs (left-out ones excluded), then the captures of its subgraphs. */
export function readsOf(node: Node): Set<string> {
  const reads = new Set<string>();
  for (const input of node.inputs) if (input !== '') reads.add(input);
  for (const subgraph of subgraphsOf(node)) for (const value of capturesOf(subgraph)) reads.add(value);
  return reads;
}

/**
 * The nodes so that each stands after the makers of what it reads. Order is kept wherever it is already right.
 * @throws E_GRAPH_INVALID naming the nodes of a cycle
 */
export function sortNodes(nodes: readonly Node[]): readonly Node[] {
  const producers = new Map<string, Node>();
  for (const node of nodes) for (const output of node.outputs) if (output !== '') producers.set(output, node);
  const state = new Map<Node, 'open' | 'done'>();
  const sorted: Node[] = [];
  // An explicit stack: deep networks overflow the call stack.
  for (const root of nodes) {
    const stack = state.has(root) ? [] : [openNode(root)];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      state.set(top.node, 'open');
      const { value: read, done } = top.reads.next();
      if (done) {
        state.set(top.node, 'done');
        sorted.push(top.node);
        stack.pop();
        continue;
      }
      const producer = producers.get(read);
      if (producer === undefined || state.get(producer) === 'done') continue;
      if (state.get(producer) === 'open')
        throw cycleError(
          stack.map((entry) => entry.node),
          producer,
        );
      stack.push(openNode(producer));
    }
  }
  return sorted.every((node, index) => node === nodes[index]) ? nodes : sorted;
}

function openNode(node: Node): { node: Node; reads: Iterator<string, undefined> } {
  return { node, reads: readsOf(node).values() as Iterator<string, undefined> };
}

function cycleError(path: readonly Node[], first: Node): HoneError {
  const names = path.slice(path.indexOf(first)).map((node) => node.name || node.op);
  const shown = names.length > 8 ? [...names.slice(0, 4), '...', ...names.slice(-3)] : names;
  return new HoneError('E_GRAPH_INVALID', {
    diagnostics: `error: ${first.name || first.op}: the nodes ${shown.reverse().join(' -> ')} form a cycle [graph-cycle]`,
  });
}

/** Makes names that no value or node of a graph (or of its subgraphs) has: `hint`, then `hint_1`, `hint_2`, ... */
export function nameMaker(graph?: Graph): (hint: string) => string {
  return makeNames(graph ? namesOf(graph) : new Set());
}

/** All names of values and nodes in a graph and its subgraphs. */
export function namesOf(graph: Graph): Set<string> {
  const names = new Set<string>();
  collectNames(graph, names);
  return names;
}

/** Makes names outside `taken`, and adds each to it. */
export function makeNames(taken: Set<string>): (hint: string) => string {
  const counters = new Map<string, number>();
  return (hint) => {
    const base = hint === '' ? 'value' : hint;
    let name = base;
    let count = counters.get(base) ?? 0;
    while (taken.has(name)) name = `${base}_${++count}`;
    counters.set(base, count);
    taken.add(name);
    return name;
  };
}

function collectNames(graph: Graph, names: Set<string>): void {
  for (const name of [...graph.inputs, ...graph.outputs, ...graph.initializers.keys(), ...graph.values.keys()])
    names.add(name);
  for (const node of graph.nodes) {
    names.add(node.name);
    for (const name of [...node.inputs, ...node.outputs]) names.add(name);
    for (const subgraph of subgraphsOf(node)) collectNames(subgraph, names);
  }
}

/** Known type of a value: declared, or that of the initializer. */
export function typeOf(graph: Graph, value: string): ValueType | undefined {
  const declared = graph.values.get(value);
  if (declared) return declared;
  const tensor = graph.initializers.get(value);
  return tensor && { type: tensor.type, shape: tensor.dims };
}

/** A change of a graph; every part may be left out. */
export interface GraphPatch {
  /** Nodes to replace (by identityNode) by zero or more others. */
  readonly replace?: ReadonlyMap<Node, readonly Node[]>;
  /** Nodes to add; the result is sorted, so their place does not matter. */
  readonly add?: readonly Node[];
  /** Initializers to add or to replace. */
  readonly initializers?: ReadonlyMap<string, Tensor>;
  /** Value types to add or to replace. */
  readonly values?: ReadonlyMap<string, ValueType>;
  /** Every reader of a key (nodes, subgraphs, graph outputs) gets the value instead. Chains are followed. */
  readonly redirect?: ReadonlyMap<string, string>;
  /** Opset versions to add or to replace. */
  readonly opsets?: ReadonlyMap<string, number>;
}

/**
 * The graph after a patch: sorted, without dead nodes and initializers. Graph inputs and outputs keep their names: where a
 * graph output is redirected, its new maker takes the name, or an Identity node copies it when the maker cannot.
 * @throws E_GRAPH_INVALID when the patch makes a cycle
 */
export function patchGraph(graph: Graph, patch: GraphPatch): Graph {
  const { replace } = patch;
  let nodes: Node[] = replace ? graph.nodes.flatMap((node) => replace.get(node) ?? [node]) : [...graph.nodes];
  if (patch.add) nodes.push(...patch.add);
  const values = new Map([...graph.values, ...(patch.values ?? [])]);
  const initializers = new Map([...graph.initializers, ...(patch.initializers ?? [])]);
  if (patch.redirect && patch.redirect.size > 0) {
    const resolved = resolveRedirects(patch.redirect);
    nodes = nodes.map((node) => renameReads(node, resolved));
    nodes = keepOutputNames(graph, nodes, resolved, values);
  }
  return removeDead({
    ...graph,
    nodes: sortNodes(nodes),
    initializers,
    values,
    opsets: patch.opsets ? new Map([...graph.opsets, ...patch.opsets]) : graph.opsets,
  });
}

function resolveRedirects(redirect: ReadonlyMap<string, string>): Map<string, string> {
  const resolved = new Map<string, string>();
  for (const from of redirect.keys()) {
    let to = from;
    for (let steps = 0; redirect.has(to) && steps <= redirect.size; steps++) to = redirect.get(to)!;
    if (redirect.has(to)) throw new HoneError('E_INTERNAL', { message: `redirects of '${from}' run in a circle` });
    resolved.set(from, to);
  }
  return resolved;
}

/** Gives redirected graph outputs back their names. */
function keepOutputNames(
  graph: Graph,
  nodes: readonly Node[],
  redirect: ReadonlyMap<string, string>,
  values: Map<string, ValueType>,
): Node[] {
  const takeOver = new Map<string, string>();
  const copies: Node[] = [];
  const fresh = nameMaker({ ...graph, nodes });
  for (const output of new Set(graph.outputs)) {
    const source = redirect.get(output);
    if (source === undefined) continue;
    const made = nodes.some((node) => node.outputs.includes(source));
    if (made && !graph.outputs.includes(source) && !takeOver.has(source)) takeOver.set(source, output);
    else copies.push(identityNode(fresh(`${output}_copy`), takeOver.get(source) ?? source, output));
  }
  for (const [source, output] of takeOver) {
    const type = values.get(source);
    if (type && !values.has(output)) values.set(output, type);
  }
  // The former maker of the output, if it is still there, must give up the name.
  const retired = new Map<string, string>();
  for (const output of redirect.keys()) if (graph.outputs.includes(output)) retired.set(output, fresh(output));
  const renamed = nodes.map((node) => renameReads(renameOutputs(renameOutputs(node, retired), takeOver), takeOver));
  return [...renamed, ...copies];
}

/** A node that passes a value on under another name. */
export function identityNode(name: string, input: string, output: string): Node {
  return { name, op: 'Identity', domain: '', inputs: [input], outputs: [output], attributes: new Map() };
}

function renameOutputs(node: Node, names: ReadonlyMap<string, string>): Node {
  if (!node.outputs.some((output) => names.has(output))) return node;
  return { ...node, outputs: node.outputs.map((output) => names.get(output) ?? output) };
}

/** The node reading other values, in its inputs and in its subgraphs; the same object when nothing changes. */
export function renameReads(node: Node, names: ReadonlyMap<string, string>): Node {
  const inputs = node.inputs.some((input) => names.has(input))
    ? node.inputs.map((input) => names.get(input) ?? input)
    : node.inputs;
  let attributes: Map<string, Attribute> | undefined;
  for (const [key, entry] of node.attributes) {
    if (entry.kind !== 'graph') continue;
    const value = renameCaptures(entry.value, names);
    if (value === entry.value) continue;
    attributes ??= new Map(node.attributes);
    attributes.set(key, { kind: 'graph', value });
  }
  if (inputs === node.inputs && attributes === undefined) return node;
  return { ...node, inputs, attributes: attributes ?? node.attributes };
}

function renameCaptures(subgraph: Graph, names: ReadonlyMap<string, string>): Graph {
  const captured = [...capturesOf(subgraph)].filter((name) => names.has(name));
  if (captured.length === 0) return subgraph;
  const own = new Map(captured.map((name) => [name, names.get(name)!]));
  return {
    ...subgraph,
    nodes: subgraph.nodes.map((node) => renameReads(node, own)),
    outputs: subgraph.outputs.map((output) => own.get(output) ?? output),
  };
}

/** The graph without nodes, initializers and value types that no output needs. Inputs stay. */
export function removeDead(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const kept: Node[] = [];
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index];
    if (!node.outputs.some((output) => needed.has(output))) continue;
    kept.push(node);
    for (const value of readsOf(node)) needed.add(value);
  }
  const known = new Set([...needed, ...graph.inputs, ...kept.flatMap((node) => node.outputs)]);
  return {
    ...graph,
    nodes: kept.length === graph.nodes.length ? graph.nodes : kept.reverse(),
    initializers: keepKeys(graph.initializers, needed),
    values: keepKeys(graph.values, known),
  };
}

function keepKeys<T>(map: ReadonlyMap<string, T>, keys: ReadonlySet<string>): ReadonlyMap<string, T> {
  const kept = new Map<string, T>();
  for (const [key, value] of map) if (keys.has(key)) kept.set(key, value);
  return kept.size === map.size ? map : kept;
}
