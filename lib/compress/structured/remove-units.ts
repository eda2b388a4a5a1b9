import { formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import { nameMaker, removeDead, typeOf } from '../../ir/edit';
import { ELEMENT_TYPES } from '../../ir/element-type';
import type { Graph, Node } from '../../ir/graph';
import { elementCount, type Tensor } from '../../ir/tensor';
import { verified } from '../../ir/verify';
import { findOperator } from '../../ops';
import type { PortAxis } from '../../ops/operator';
import { inferShapes } from '../../passes/infer-shapes';
import { type Unit, valueAt } from './dependencies';

/** Indices of each axis of a value that stay, ascending; undefined for axes that stay whole. */
export type KeptIndices = ReadonlyMap<string, readonly (readonly number[] | undefined)[]>;

/**
 * The graph without the given units (of `findDependencies` of the same graph): constants cut, attributes and extents in
 * constants rewritten, shapes inferred anew. Every axis must keep an index.
 * @throws E_INTERNAL when the result does not fit together
 */
export function removeUnits(graph: Graph, units: readonly Unit[]): Graph {
  const kept = keptIndices(graph, units);
  if (kept.size === 0) return graph;
  const fresh = nameMaker(graph);
  const added = new Map<string, Tensor>();
  const nodes = graph.nodes.map((node) => shrinkNode(graph, node, kept, fresh, added));
  const initializers = new Map<string, Tensor>();
  for (const [name, tensor] of graph.initializers)
    initializers.set(name, kept.has(name) ? takeIndices(tensor, kept.get(name)!) : tensor);
  const values = new Map([...graph.values].filter(([name]) => !kept.has(name)));
  const cut = removeDead({ ...graph, nodes, values, initializers: new Map([...initializers, ...added]) });
  const { graph: result, diagnostics } = inferShapes(cut);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw new HoneError('E_INTERNAL', { message: `channels that do not fit:\n${formatDiagnostics(errors)}` });
  return verified(result);
}

/** What removing units leaves of each value that loses indices. */
export function keptIndices(graph: Graph, units: readonly Unit[]): KeptIndices {
  const gone = new Map<string, Set<number>[]>();
  for (const { members } of units)
    for (const { value, axis, indices } of members) {
      const axes = gone.get(value) ?? [];
      gone.set(value, axes);
      axes[axis] ??= new Set();
      for (const index of indices) axes[axis].add(index);
    }
  const kept = new Map<string, (number[] | undefined)[]>();
  for (const [value, axes] of gone) {
    const shape = typeOf(graph, value)!.shape!;
    kept.set(
      value,
      shape.map((extent, axis) => (axes[axis] ? without(extent as number, axes[axis]) : undefined)),
    );
  }
  return kept;
}

function without(extent: number, gone: ReadonlySet<number>): number[] {
  return Array.from({ length: extent }, (_, index) => index).filter((index) => !gone.has(index));
}

function shrinkNode(
  graph: Graph,
  node: Node,
  kept: KeptIndices,
  fresh: (hint: string) => string,
  added: Map<string, Tensor>,
): Node {
  if (![...node.inputs, ...node.outputs].some((value) => kept.has(value))) return node;
  const typed = (value: string) => (value === '' ? undefined : typeOf(graph, value));
  const shrunk = findOperator(node.domain, node.op)?.coupling?.shrink?.({
    node,
    inputs: node.inputs.map(typed),
    outputs: node.outputs.map(typed),
    constant: (index) => graph.initializers.get(node.inputs[index]),
    kept: (place: PortAxis) => {
      const value = valueAt(node, place);
      const extent = typed(value)?.shape?.[place.axis];
      if (typeof extent !== 'number') return undefined;
      return kept.get(value)?.[place.axis] ?? without(extent, new Set());
    },
    add: (hint, tensor) => {
      const name = fresh(hint);
      added.set(name, tensor);
      return name;
    },
  });
  return shrunk ?? node;
}

/** The tensor with the chosen indices of each axis; undefined takes all. */
export function takeIndices(tensor: Tensor, kept: readonly (readonly number[] | undefined)[]): Tensor {
  return kept.reduce<Tensor>((cut, indices, axis) => (indices ? takeAlong(cut, axis, indices) : cut), tensor);
}

function takeAlong(tensor: Tensor, axis: number, indices: readonly number[]): Tensor {
  const { dims } = tensor;
  const elementBytes = ELEMENT_TYPES[tensor.type].bits / 8;
  const inner = elementCount(dims.slice(axis + 1)) * elementBytes;
  const outer = elementCount(dims.slice(0, axis));
  const bytes = new Uint8Array(outer * indices.length * inner);
  let to = 0;
  for (let row = 0; row < outer; row++)
    for (const index of indices) {
      const from = (row * dims[axis] + index) * inner;
      bytes.set(tensor.bytes.subarray(from, from + inner), to);
      to += inner;
    }
  return { ...tensor, dims: dims.map((dim, at) => (at === axis ? indices.length : dim)), bytes };
}
