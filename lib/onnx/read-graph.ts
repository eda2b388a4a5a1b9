import { makeNames, sortNodes } from '../ir/edit';
import { typeOfCode } from '../ir/element-type';
import type { Attribute, Dim, Graph, Node, ValueType } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import { formatError, guard, type ReadContext, unsupported } from './context';
import { normalizeDomain } from './inline-functions';
import { ATTRIBUTE_CODES, type Message } from './message-schema';
import { readTensor } from './read-tensor';
import { decodeText } from './wire';

/** What all graphs of one model share. */
export type ModelFacts = Pick<Graph, 'irVersion' | 'opsets'>;

/**
 * Graph of a message, nodes sorted and named. Subgraphs become Graphs with the model's opsets.
 * @throws E_ONNX_FORMAT, E_ONNX_UNSUPPORTED, E_ONNX_EXTERNAL, E_GRAPH_INVALID (cycle)
 */
export function readGraph(message: Message<'Graph'>, facts: ModelFacts, context: ReadContext): Graph {
  if (message.sparseInitializers.length > 0) {
    const name = message.sparseInitializers[0].values?.name ?? '';
    throw unsupported(context, `sparse initializers ('${name}')`);
  }
  const initializers = new Map<string, Tensor>();
  for (const entry of message.initializers) {
    const name = entry.name ?? '';
    if (name === '') throw formatError(context, 'an initializer has no name');
    if (initializers.has(name)) throw formatError(context, `initializer '${name}' stands in the file twice`);
    initializers.set(name, readTensor(entry, context));
  }
  const values = new Map<string, ValueType>();
  const addValue = (info: Message<'ValueInfo'>) => {
    const name = info.name ?? '';
    const type = readValueType(name, info.type);
    if (name !== '' && type && !values.has(name) && !initializers.has(name)) values.set(name, type);
  };
  for (const info of [...message.inputs, ...message.outputs, ...message.valueInfos]) addValue(info);
  const nameNode = nodeNamer(message.nodes);
  return {
    name: message.name ?? '',
    inputs: message.inputs.map((info) => info.name ?? '').filter((name) => !initializers.has(name)),
    outputs: message.outputs.map((info) => info.name ?? ''),
    nodes: sortNodes(message.nodes.map((node) => readNode(node, nameNode(node), facts, context))),
    initializers,
    values,
    opsets: facts.opsets,
    irVersion: facts.irVersion,
    metadata: new Map(),
  };
}

/** Gives each node its own name where that is not taken, otherwise a fresh one; depends on nothing but the file. */
function nodeNamer(nodes: readonly Message<'Node'>[]): (node: Message<'Node'>) => string {
  const fresh = makeNames(new Set(nodes.map((node) => node.name ?? '')));
  const used = new Set<string>();
  return (node) => {
    const wanted = node.name ?? '';
    const name = wanted !== '' && !used.has(wanted) ? wanted : fresh(wanted || node.op || 'node');
    used.add(name);
    return name;
  };
}

/** Type of a value; undefined when the file does not say it, or says something else than a dense tensor. */
function readValueType(name: string, type: Message<'Type'> | undefined): ValueType | undefined {
  const element = typeOfCode(type?.tensor?.element);
  if (element === undefined) return undefined;
  const shape = type?.tensor?.shape?.dims.map((dim, axis): Dim => {
    // Files write unknown extents as nothing, '', '?', -1 or '-1'. Each becomes a symbol of its own, as nothing makes them
    // equal, and a number is no name.
    if (dim.symbol && dim.symbol !== '?' && !/^\s*[-+]?\d+\s*$/.test(dim.symbol)) return dim.symbol;
    return dim.value !== undefined && dim.value >= 0 ? dim.value : `${name}.${axis}`;
  });
  return { type: element, shape };
}

function readNode(message: Message<'Node'>, name: string, facts: ModelFacts, context: ReadContext): Node {
  const attributes = new Map<string, Attribute>();
  for (const entry of message.attributes) {
    const key = entry.name ?? '';
    const where = `attribute '${key}' of node '${name}'`;
    if (key === '' || attributes.has(key)) throw formatError(context, `${where} is nameless or stands there twice`);
    if (entry.reference) throw formatError(context, `${where} refers to a function's attribute outside a function`);
    attributes.set(key, readAttribute(entry, where, facts, context));
  }
  return {
    name,
    op: message.op ?? '',
    domain: normalizeDomain(message.domain),
    inputs: message.inputs,
    outputs: message.outputs,
    attributes,
  };
}

function readAttribute(entry: Message<'Attribute'>, where: string, facts: ModelFacts, context: ReadContext): Attribute {
  const text = (bytes: Uint8Array) => {
    try {
      return decodeText(bytes);
    } catch {
      throw unsupported(context, `${where} with bytes that are not text`);
    }
  };
  switch (kindOf(entry)) {
    case 'float':
      return { kind: 'float', value: entry.float ?? 0 };
    case 'int':
      return { kind: 'int', value: entry.int ?? 0 };
    case 'string':
      return { kind: 'string', value: text(entry.string ?? new Uint8Array()) };
    case 'floats':
      return { kind: 'floats', value: entry.floats };
    case 'ints':
      return { kind: 'ints', value: entry.ints };
    case 'strings':
      return { kind: 'strings', value: entry.strings.map(text) };
    case 'tensor':
      if (entry.tensor === undefined) throw formatError(context, `${where} holds no tensor`);
      return { kind: 'tensor', value: guard(context, () => readTensor(entry.tensor!, context)) };
    case 'graph':
      if (entry.graph === undefined) throw formatError(context, `${where} holds no graph`);
      return { kind: 'graph', value: readGraph(entry.graph, facts, context) };
    default:
      throw unsupported(context, `${where} of attribute type number ${entry.type ?? 0}`);
  }
}

const KIND_BY_CODE = new Map(Object.entries(ATTRIBUTE_CODES).map(([kind, code]) => [code, kind as Attribute['kind']]));

/** Declared kind, or the one whose field is set (the oldest files declare none). */
function kindOf(entry: Message<'Attribute'>): Attribute['kind'] | undefined {
  if (entry.type) return KIND_BY_CODE.get(entry.type);
  for (const kind of Object.keys(ATTRIBUTE_CODES) as Attribute['kind'][]) {
    const value = entry[kind];
    if (Array.isArray(value) ? value.length > 0 : value !== undefined) return kind;
  }
  return undefined;
}
