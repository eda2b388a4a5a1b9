import { HoneError } from '../core/error';
import { byteLength, ELEMENT_TYPES } from '../ir/element-type';
import type { Attribute, Dim, Graph, Node, ValueType } from '../ir/graph';
import { unpackStringBytes } from '../ir/strings';
import { elementCount, type Tensor } from '../ir/tensor';
import { ATTRIBUTE_CODES, type Draft } from './message-schema';
import { encodeMessage } from './wire';

/** Protocol buffers end below 2 GiB. */
const LIMIT_BYTES = 2 ** 31 - 1;

/**
 * Bytes of an ONNX file for a graph, all weights inside. The same graph always gives the same bytes.
 * @throws E_ONNX_SIZE beyond 2 GiB
 */
export function writeModel(graph: Graph): Uint8Array {
  checkSize(weightBytes(graph));
  const model: Draft<'Model'> = {
    irVersion: graph.irVersion,
    producerName: 'hone',
    graph: draftGraph(graph),
    opsetImport: [...graph.opsets].map(([domain, version]) => ({ domain, version })),
    metadata: [...graph.metadata].map(([key, value]) => ({ key, value })),
  };
  return join(encodeMessage('Model', model));
}

/** Bytes of a file that holds one ONNX tensor. */
export function writeTensor(name: string, tensor: Tensor): Uint8Array {
  return join(encodeMessage('Tensor', draftTensor(tensor, name)));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  checkSize(length);
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function checkSize(sizeBytes: number): void {
  if (sizeBytes > LIMIT_BYTES) throw new HoneError('E_ONNX_SIZE', { sizeBytes, limitBytes: LIMIT_BYTES });
}

/** Size of the initializers from their shapes: refuses a huge model before its external data is loaded. */
function weightBytes(graph: Graph): number {
  let sum = 0;
  for (const { type, dims } of graph.initializers.values()) sum += byteLength(type, elementCount(dims));
  return sum;
}

function draftGraph(graph: Graph): Draft<'Graph'> {
  const info = (name: string) => draftValue(name, graph.values.get(name));
  // Before IR 4 every initializer had to be listed as an input as well.
  const listed = graph.irVersion < 4 ? [...graph.initializers].map(initializerInfo) : [];
  const shown = new Set([...graph.inputs, ...graph.outputs]);
  return {
    nodes: graph.nodes.map(draftNode),
    name: graph.name,
    initializers: [...graph.initializers].map(([name, tensor]) => draftTensor(tensor, name)),
    inputs: [...graph.inputs.map(info), ...listed],
    outputs: graph.outputs.map((name) => info(name)),
    valueInfos: [...graph.values.keys()].filter((name) => !shown.has(name)).map(info),
  };
}

function initializerInfo([name, tensor]: [string, Tensor]): Draft<'ValueInfo'> {
  return draftValue(name, { type: tensor.type, shape: tensor.dims });
}

function draftValue(name: string, type: ValueType | undefined): Draft<'ValueInfo'> {
  if (type === undefined) return { name };
  const shape = type.shape && { dims: type.shape.map(draftDim) };
  return { name, type: { tensor: { element: ELEMENT_TYPES[type.type].code, shape } } };
}

function draftDim(dim: Dim): Draft<'Dimension'> {
  return typeof dim === 'string' ? { symbol: dim } : { value: dim };
}

function draftNode(node: Node): Draft<'Node'> {
  return {
    inputs: node.inputs,
    outputs: node.outputs,
    name: node.name,
    op: node.op,
    attributes: [...node.attributes].map(([name, entry]) => draftAttribute(name, entry)),
    domain: node.domain === '' ? undefined : node.domain,
  };
}

function draftAttribute(name: string, entry: Attribute): Draft<'Attribute'> {
  const encoder = new TextEncoder();
  const base = { name, type: ATTRIBUTE_CODES[entry.kind] };
  switch (entry.kind) {
    case 'float':
      return { ...base, float: entry.value };
    case 'int':
      return { ...base, int: entry.value };
    case 'string':
      return { ...base, string: encoder.encode(entry.value) };
    case 'tensor':
      return { ...base, tensor: draftTensor(entry.value) };
    case 'graph':
      return { ...base, graph: draftGraph(entry.value) };
    case 'floats':
      return { ...base, floats: entry.value };
    case 'ints':
      return { ...base, ints: entry.value };
    case 'strings':
      return { ...base, strings: entry.value.map((text) => encoder.encode(text)) };
  }
}

function draftTensor(tensor: Tensor, name?: string): Draft<'Tensor'> {
  const base = { dims: tensor.dims, type: ELEMENT_TYPES[tensor.type].code, name };
  return tensor.type === 'string' ? { ...base, strings: unpackStringBytes(tensor) } : { ...base, raw: tensor.bytes };
}
