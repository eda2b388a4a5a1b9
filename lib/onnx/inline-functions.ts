import { makeNames } from '../ir/edit';
import { formatError, type ReadContext, unsupported } from './context';
import type { Message } from './message-schema';

type GraphMessage = Message<'Graph'>;
type NodeMessage = Message<'Node'>;
type AttributeMessage = Message<'Attribute'>;
type FunctionMessage = Message<'Function'>;

/** More nodes than any real model; a few functions that call each other twice would otherwise fill the memory. */
const MAX_NODES = 250_000;
/** Calls inside calls. */
const MAX_DEPTH = 100;

/** The standard domain has two spellings. */
export function normalizeDomain(domain: string | undefined): string {
  return domain === undefined || domain === 'ai.onnx' ? '' : domain;
}

interface Inliner {
  readonly functions: ReadonlyMap<string, FunctionMessage>;
  readonly context: ReadContext;
  readonly opsets: Map<string, number>;
  readonly fresh: (hint: string) => string;
  /** Functions being expanded, innermost last. */
  readonly open: string[];
  nodes: number;
}

/**
 * The graph with every call of a model-local function replaced by the function's nodes (ONNX IR, "Functions").
 * Opset versions that only functions import are added to `opsets`.
 * @throws E_ONNX_FORMAT for recursive or broken functions, E_ONNX_UNSUPPORTED when a function needs another opset version
 */
export function inlineFunctions(
  graph: GraphMessage,
  functions: readonly FunctionMessage[],
  opsets: Map<string, number>,
  context: ReadContext,
): GraphMessage {
  if (functions.length === 0) return graph;
  const table = new Map(functions.map((entry) => [keyOf(entry.domain, entry.name, entry.overload), entry]));
  const names = new Set<string>();
  collectNames(graph, names);
  return inlineGraph(graph, { functions: table, context, opsets, fresh: makeNames(names), open: [], nodes: 0 });
}

function keyOf(domain: string | undefined, name = '', overload = ''): string {
  return JSON.stringify([normalizeDomain(domain), name, overload]);
}

function collectNames(graph: GraphMessage, names: Set<string>): void {
  for (const entry of [...graph.inputs, ...graph.initializers]) if (entry.name) names.add(entry.name);
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.add(name);
    for (const entry of node.attributes) if (entry.graph) collectNames(entry.graph, names);
  }
}

function inlineGraph(graph: GraphMessage, inliner: Inliner): GraphMessage {
  return { ...graph, nodes: graph.nodes.flatMap((node) => inlineNode(node, inliner)) };
}

function inlineNode(node: NodeMessage, inliner: Inliner): NodeMessage[] {
  if (++inliner.nodes > MAX_NODES)
    throw formatError(inliner.context, `its functions expand to more than ${MAX_NODES} nodes`);
  const key = keyOf(node.domain, node.op, node.overload);
  const body = inliner.functions.get(key);
  if (body === undefined) {
    if (!node.attributes.some((entry) => entry.graph)) return [node];
    const attributes = node.attributes.map((entry) =>
      entry.graph ? { ...entry, graph: inlineGraph(entry.graph, inliner) } : entry,
    );
    return [{ ...node, attributes }];
  }
  if (inliner.open.includes(key))
    throw formatError(inliner.context, `function '${node.op}' calls itself (through ${inliner.open.length} call(s))`);
  if (inliner.open.length >= MAX_DEPTH)
    throw formatError(inliner.context, `its function calls are nested deeper than ${MAX_DEPTH} levels`);
  if (node.inputs.length > body.inputs.length || node.outputs.length > body.outputs.length)
    throw formatError(inliner.context, `a call of function '${node.op}' has more inputs or outputs than the function`);
  importOpsets(body, inliner);
  inliner.open.push(key);
  const nodes = expand(node, body, inliner).flatMap((inner) => inlineNode(inner, inliner));
  inliner.open.pop();
  return nodes;
}

/** Checks the versions of the domains that the function's nodes use, and adds those that the model lacks. */
function importOpsets(body: FunctionMessage, inliner: Inliner): void {
  const used = new Set(body.nodes.map((node) => normalizeDomain(node.domain)));
  for (const entry of body.opsetImport) {
    const domain = normalizeDomain(entry.domain);
    const version = entry.version ?? 0;
    const present = inliner.opsets.get(domain);
    if (present === undefined) inliner.opsets.set(domain, version);
    else if (present !== version && used.has(domain))
      throw unsupported(
        inliner.context,
        `function '${body.name}' with version ${version} of domain '${domain || 'ai.onnx'}' in a model with ${present}`,
      );
  }
}

/** The function's nodes with the caller's values, attributes and fresh inner names. */
function expand(call: NodeMessage, body: FunctionMessage, inliner: Inliner): NodeMessage[] {
  const prefix = call.name || call.outputs.find((output) => output !== '') || call.op || '';
  const names = new Map<string, string>();
  body.inputs.forEach((formal, index) => {
    names.set(formal, call.inputs[index] ?? '');
  });
  const passedThrough: NodeMessage[] = [];
  body.outputs.forEach((formal, index) => {
    const actual = call.outputs[index] ?? '';
    if (names.has(formal)) {
      // A function output that is a function input, or listed twice, needs a node of its own.
      if (actual !== '') passedThrough.push(identity(names.get(formal)!, actual));
    } else if (actual !== '') names.set(formal, actual);
  });
  const rename = (name: string): string => {
    if (name === '') return '';
    const known = names.get(name);
    if (known !== undefined) return known;
    const made = inliner.fresh(`${prefix}/${name}`);
    names.set(name, made);
    return made;
  };
  const actuals = new Map<string, AttributeMessage>();
  for (const entry of [...body.defaults, ...call.attributes]) actuals.set(entry.name ?? '', entry);
  const instance: Instance = { rename, actuals };
  const nodes = body.nodes.map((node) => ({
    ...instantiate(node, instance),
    name: node.name ? `${prefix}/${node.name}` : '',
  }));
  return [...nodes, ...passedThrough];
}

interface Instance {
  readonly rename: (name: string) => string;
  readonly actuals: ReadonlyMap<string, AttributeMessage>;
}

function instantiate(node: NodeMessage, instance: Instance): NodeMessage {
  return {
    ...node,
    inputs: node.inputs.map(instance.rename),
    outputs: node.outputs.map(instance.rename),
    attributes: node.attributes.flatMap((entry) => instantiateAttribute(entry, instance)),
  };
}

function instantiateAttribute(entry: AttributeMessage, instance: Instance): AttributeMessage[] {
  if (entry.reference) {
    // An attribute that the caller leaves out and that has no default is left out inside as well.
    const actual = instance.actuals.get(entry.reference);
    return actual ? [{ ...actual, name: entry.name }] : [];
  }
  if (!entry.graph) return [entry];
  const { graph } = entry;
  const renameEntry = <T extends { readonly name?: string }>(item: T): T => ({
    ...item,
    name: instance.rename(item.name ?? ''),
  });
  const renamed: GraphMessage = {
    ...graph,
    inputs: graph.inputs.map(renameEntry),
    outputs: graph.outputs.map(renameEntry),
    initializers: graph.initializers.map(renameEntry),
    valueInfos: graph.valueInfos.map(renameEntry),
    nodes: graph.nodes.map((node) => instantiate(node, instance)),
  };
  return [{ ...entry, graph: renamed }];
}

function identity(input: string, output: string): NodeMessage {
  return { inputs: [input], outputs: [output], op: 'Identity', name: '', domain: '', attributes: [], overload: '' };
}
