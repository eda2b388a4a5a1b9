import type { Diagnostic } from '../core/diagnostic';
import { readsOf } from '../ir/edit';
import { ELEMENT_TYPES, type ElementType, typeOfCode } from '../ir/element-type';
import type { Attribute, Graph, Node, ValueType } from '../ir/graph';
import { type Tensor, tensorOf } from '../ir/tensor';
import { toDense } from '../ops/dense';
import type { PassResult } from './pass-result';

/** Float types that nothing behind the import computes in. */
const OTHER_FLOATS: ReadonlySet<ElementType> = new Set(['float16', 'bfloat16', 'float64']);

/** Attributes of the standard domain that name an element type. */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set(['to', 'dtype', 'output_dtype', 'output_datatype', 'stash_type']);

/** Largest float32: what a float64 mask such as -1.8e308 becomes, since infinities are no numbers to add to. */
const LARGEST = Math.fround(3.4028234663852886e38);

/**
 * The graph with every float16, bfloat16 and float64 as float32: inputs, outputs, constants (also those in attributes),
 * the types that nodes cast to, and all of it in subgraphs. Constants of float64 are rounded. The diagnostic says what was
 * converted; the same graph comes back when there is nothing to convert. `kept` are inputs and outputs that whoever writes or
 * compiles the graph makes float16 again (see `narrowPorts`); where nothing but a Cast stands at them, that is no conversion to tell of.
 */
export function widenFloats(graph: Graph, kept: ReadonlySet<string> = new Set()): PassResult {
  const found: Found = { count: 0, types: new Set(), untold: castsAlone(graph, kept) ? kept : new Set() };
  const widened = widenGraph(graph, found);
  if (found.count === 0) return { graph, diagnostics: [] };
  if (found.types.size === 0) return { graph: widened, diagnostics: [] };
  const ports = [...new Set([...graph.inputs, ...graph.outputs])].filter((name) =>
    isOther(graph.values.get(name)?.type),
  );
  const changed = ports.filter((name) => !kept.has(name));
  const types = [...found.types].join(' and ');
  const verb = found.types.size > 1 ? 'are' : 'is';
  const diagnostic: Diagnostic = {
    severity: 'warning',
    kind: 'float32-conversion',
    where: 'graph',
    message: [
      `${types} ${verb} converted to float32`,
      ...(changed.length > 0 ? [`, also ${changed.join(', ')}, which take and give float32`] : []),
      ...(changed.length < ports.length ? ['; float16 inputs and outputs stay so in plans and ONNX files'] : []),
    ].join(''),
  };
  return { graph: widened, diagnostics: [diagnostic] };
}

/** What was found so far. */
interface Found {
  /** Places of other floats. */
  count: number;
  /** Types at those places that the user should know of. */
  readonly types: Set<ElementType>;
  /** Values that he need not know of. */
  readonly untold: ReadonlySet<string>;
}

function isOther(type: ElementType | undefined): boolean {
  return type !== undefined && OTHER_FLOATS.has(type);
}

/** Whether only Casts read these inputs and make these outputs, and nothing reads the outputs: they might round what it gets. */
function castsAlone({ inputs, nodes }: Graph, ports: ReadonlySet<string>): boolean {
  const isPort = (name: string) => ports.has(name);
  return nodes.every((node) =>
    isCast(node)
      ? !isPort(node.inputs[0]) || inputs.includes(node.inputs[0])
      : !node.outputs.some(isPort) && ![...readsOf(node)].some(isPort),
  );
}

function isCast({ op, domain }: Node): boolean {
  return op === 'Cast' && domain === '';
}

/** Records a place of `type`, of the value `name` if it has one. */
function note(type: ElementType, found: Found, name = ''): void {
  found.count++;
  if (!found.untold.has(name)) found.types.add(type);
}

function widenGraph(graph: Graph, found: Found): Graph {
  return {
    ...graph,
    values: mapValues(graph.values, (type, name) => widenType(type, found, name)),
    initializers: mapValues(graph.initializers, (tensor) => widenTensor(tensor, found)),
    nodes: graph.nodes.map((node) => widenNode(node, found)),
  };
}

function mapValues<T>(map: ReadonlyMap<string, T>, change: (value: T, key: string) => T): ReadonlyMap<string, T> {
  return new Map([...map].map(([key, value]) => [key, change(value, key)]));
}

function widenType(value: ValueType, found: Found, name: string): ValueType {
  if (!isOther(value.type)) return value;
  note(value.type, found, name);
  return { ...value, type: 'float32' };
}

/** The tensor as float32; data in other files stays there until somebody wants it. */
function widenTensor(tensor: Tensor, found: Found): Tensor {
  const { type, dims } = tensor;
  if (!isOther(type)) return tensor;
  note(type, found);
  let bytes: Uint8Array | undefined;
  return {
    type: 'float32',
    dims,
    get bytes() {
      bytes ??= tensorOf('float32', dims, limited(toDense(tensor, 'float64').data)).bytes;
      return bytes;
    },
  };
}

/** The numbers as float32, finite ones at most the largest of them. */
function limited(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  for (let i = 0; i < result.length; i++)
    result[i] = Number.isFinite(values[i]) ? Math.min(Math.max(values[i], -LARGEST), LARGEST) : values[i];
  return result;
}

function widenNode(node: Node, found: Found): Node {
  let changed: Map<string, Attribute> | undefined;
  for (const [name, entry] of node.attributes) {
    const widened = widenAttribute(node, name, entry, found);
    if (widened === entry) continue;
    changed ??= new Map(node.attributes);
    changed.set(name, widened);
  }
  return changed ? { ...node, attributes: changed } : node;
}

function widenAttribute(node: Node, name: string, entry: Attribute, found: Found): Attribute {
  switch (entry.kind) {
    case 'tensor': {
      const value = widenTensor(entry.value, found);
      return value === entry.value ? entry : { kind: 'tensor', value };
    }
    case 'graph': {
      const before = found.count;
      const value = widenGraph(entry.value, found);
      return found.count === before ? entry : { kind: 'graph', value };
    }
    case 'int': {
      const type = node.domain === '' && TYPE_ATTRIBUTES.has(name) ? typeOfCode(entry.value) : undefined;
      if (type === undefined || !isOther(type)) return entry;
      note(type, found, isCast(node) ? node.outputs[0] : '');
      return { kind: 'int', value: ELEMENT_TYPES.float32.code };
    }
    default:
      return entry;
  }
}
