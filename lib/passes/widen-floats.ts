import type { Diagnostic } from '../core/diagnostic';
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
 * compiles the graph makes float16 again (see `narrowPorts`), which the diagnostic says.
 */
export function widenFloats(graph: Graph, kept: ReadonlySet<string> = new Set()): PassResult {
  const found = new Map<ElementType, number>();
  const widened = widenGraph(graph, found);
  if (found.size === 0) return { graph, diagnostics: [] };
  const ports = [...new Set([...graph.inputs, ...graph.outputs])].filter((name) =>
    isOther(graph.values.get(name)?.type),
  );
  const changed = ports.filter((name) => !kept.has(name));
  const unchanged = ports.filter((name) => kept.has(name));
  const types = [...found.keys()].join(' and ');
  const verb = found.size > 1 ? 'are' : 'is';
  const diagnostic: Diagnostic = {
    severity: 'warning',
    kind: 'float32-conversion',
    where: 'graph',
    message: [
      `${types} ${verb} converted to float32`,
      ...(changed.length > 0 ? [`, also ${changed.join(', ')}, which take and give float32`] : []),
      ...(unchanged.length > 0 ? [`; ${unchanged.join(', ')} stay float16 in plans and ONNX files`] : []),
    ].join(''),
  };
  return { graph: widened, diagnostics: [diagnostic] };
}

type Counts = Map<ElementType, number>;

function isOther(type: ElementType | undefined): boolean {
  return type !== undefined && OTHER_FLOATS.has(type);
}

function note(type: ElementType, found: Counts): void {
  found.set(type, (found.get(type) ?? 0) + 1);
}

function widenGraph(graph: Graph, found: Counts): Graph {
  return {
    ...graph,
    values: mapValues(graph.values, (type) => widenType(type, found)),
    initializers: mapValues(graph.initializers, (tensor) => widenTensor(tensor, found)),
    nodes: graph.nodes.map((node) => widenNode(node, found)),
  };
}

function mapValues<T>(map: ReadonlyMap<string, T>, change: (value: T) => T): ReadonlyMap<string, T> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

function widenType(value: ValueType, found: Counts): ValueType {
  if (!isOther(value.type)) return value;
  note(value.type, found);
  return { ...value, type: 'float32' };
}

/** The tensor as float32; data in other files stays there until somebody wants it. */
function widenTensor(tensor: Tensor, found: Counts): Tensor {
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

function widenNode(node: Node, found: Counts): Node {
  let changed: Map<string, Attribute> | undefined;
  for (const [name, entry] of node.attributes) {
    const widened = widenAttribute(node, name, entry, found);
    if (widened === entry) continue;
    changed ??= new Map(node.attributes);
    changed.set(name, widened);
  }
  return changed ? { ...node, attributes: changed } : node;
}

function widenAttribute(node: Node, name: string, entry: Attribute, found: Counts): Attribute {
  switch (entry.kind) {
    case 'tensor': {
      const value = widenTensor(entry.value, found);
      return value === entry.value ? entry : { kind: 'tensor', value };
    }
    case 'graph': {
      const before = [...found.values()].reduce((sum, count) => sum + count, 0);
      const value = widenGraph(entry.value, found);
      const after = [...found.values()].reduce((sum, count) => sum + count, 0);
      return after === before ? entry : { kind: 'graph', value };
    }
    case 'int': {
      const type = node.domain === '' && TYPE_ATTRIBUTES.has(name) ? typeOfCode(entry.value) : undefined;
      if (type === undefined || !isOther(type)) return entry;
      note(type, found);
      return { kind: 'int', value: ELEMENT_TYPES.float32.code };
    }
    default:
      return entry;
  }
}
