import { typeOf } from './edit';
import type { Attribute, Dim, Graph, Node, ValueType } from './graph';
import { unpackStrings } from './strings';
import { elementCount, type Tensor, toNumbers } from './tensor';

/** Constants with at most this many elements are printed with their values. */
const SHOWN_ELEMENTS = 8;

/**
 * Stable text of a graph for people and golden tests: one line per input, constant, node and output. A node's name is
 * shown where it differs from its first output; attributes stand in alphabetical order.
 */
export function print(graph: Graph): string {
  const opsets = [...graph.opsets].map(([domain, version]) => `${domain || 'onnx'} ${version}`).sort();
  const lines = [`graph ${graph.name || '(unnamed)'} ir ${graph.irVersion} opset ${opsets.join(', ')}`];
  for (const key of [...graph.metadata.keys()].sort()) lines.push(`  meta ${key} = ${quote(graph.metadata.get(key)!)}`);
  lines.push(...printBody(graph, '  '));
  return `${lines.join('\n')}\n`;
}

function printBody(graph: Graph, indent: string): string[] {
  const lines: string[] = [];
  for (const name of graph.inputs) lines.push(`${indent}input ${name}: ${printType(typeOf(graph, name))}`);
  for (const [name, tensor] of graph.initializers) lines.push(`${indent}const ${name}: ${printTensor(tensor)}`);
  for (const node of graph.nodes) lines.push(...printNode(graph, node, indent));
  for (const name of graph.outputs) lines.push(`${indent}output ${name}: ${printType(typeOf(graph, name))}`);
  return lines;
}

function printNode(graph: Graph, node: Node, indent: string): string[] {
  const show = (name: string) => (name === '' ? '_' : name);
  const op = node.domain === '' ? node.op : `${node.domain}:${node.op}`;
  const label = node.name === node.outputs[0] ? '' : ` @${node.name}`;
  const plain: string[] = [];
  const nested: string[] = [];
  for (const key of [...node.attributes.keys()].sort()) {
    const entry = node.attributes.get(key)!;
    if (entry.kind === 'graph') nested.push(`${indent}  ${key}:`, ...printBody(entry.value, `${indent}    `));
    else plain.push(` ${key}=${printAttribute(entry)}`);
  }
  const types = node.outputs.map((output) => (output === '' ? '_' : printType(typeOf(graph, output))));
  const call = `${node.outputs.map(show).join(', ')} = ${op}(${node.inputs.map(show).join(', ')})`;
  return [`${indent}${call}${plain.join('')} -> ${types.join(', ')}${label}`, ...nested];
}

/** Text of a value type, for example `float32[N,3,32,32]`; `?` when unknown, `float32[*]` without a rank. */
function printType(type: ValueType | undefined): string {
  if (type === undefined) return '?';
  return `${type.type}${type.shape === undefined ? '[*]' : printShape(type.shape)}`;
}

/** Text of a shape, for example `[N,3,32,32]`. */
function printShape(shape: readonly Dim[]): string {
  return `[${shape.join(',')}]`;
}

function printTensor(tensor: Tensor): string {
  const type = `${tensor.type}${printShape(tensor.dims)}`;
  return elementCount(tensor.dims) <= SHOWN_ELEMENTS ? `${type} = ${printElements(tensor)}` : type;
}

function printElements(tensor: Tensor): string {
  switch (tensor.type) {
    case 'string':
      return list(unpackStrings(tensor).map(quote));
    case 'float32':
      return list(toNumbers(tensor).map(printFloat));
    case 'float16':
    case 'bfloat16':
    case 'int4':
    case 'uint4':
      return `0x${Array.from(tensor.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    default:
      return list(toNumbers(tensor).map(String));
  }
}

function printAttribute(entry: Exclude<Attribute, { kind: 'graph' }>): string {
  switch (entry.kind) {
    case 'int':
      return String(entry.value);
    case 'float':
      return `${printFloat(entry.value)}f`;
    case 'string':
      return quote(entry.value);
    case 'ints':
      return list(entry.value.map(String));
    case 'floats':
      return `${list(entry.value.map(printFloat))}f`;
    case 'strings':
      return list(entry.value.map(quote));
    case 'tensor':
      return printTensor(entry.value);
  }
}

/** Fewest digits that still name this float32 number: 0.1 instead of 0.10000000149011612. */
function printFloat(value: number): string {
  if (Object.is(value, -0)) return '-0';
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === Math.fround(value)) return String(text);
  }
  return String(value);
}

const list = (items: readonly string[]) => `[${items.join(',')}]`;
const quote = (text: string) => JSON.stringify(text);
