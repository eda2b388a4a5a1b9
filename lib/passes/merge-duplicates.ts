import { patchGraph, subgraphsOf } from '../ir/edit';
import type { Attribute, Graph, Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import { findOperator } from '../ops';

/** Constants with more bytes than this are not compared. */
const SMALL_BYTES = 64;

/**
 * The graph with nodes that compute the same thing from the same values merged into the first of them, and equal small
 * integer constants (axes, extents) into one; floats are left alone, since training moves each on its own. Only operators
 * of the table count: they are all functions of their inputs. Returns the same graph when there are none.
 */
export function mergeDuplicates(graph: Graph): Graph {
  const first = new Map<string, Node>();
  const redirect = twinConstants(graph);
  const outputs = new Set(graph.outputs);
  for (const node of graph.nodes) {
    if (!isComparable(node) || node.outputs.some((name) => outputs.has(name))) continue;
    const key = keyOf(node, redirect);
    const twin = first.get(key);
    if (!twin) first.set(key, node);
    else for (const [index, name] of node.outputs.entries()) redirect.set(name, twin.outputs[index]);
  }
  return redirect.size === 0 ? graph : patchGraph(graph, { redirect });
}

function twinConstants(graph: Graph): Map<string, string> {
  const first = new Map<string, string>();
  const redirect = new Map<string, string>();
  for (const [name, { type, dims, bytes }] of graph.initializers) {
    if (type !== 'int64' || elementCount(dims) * 8 > SMALL_BYTES || graph.outputs.includes(name)) continue;
    const key = `${dims}:${bytes}`;
    const twin = first.get(key);
    if (twin === undefined) first.set(key, name);
    else redirect.set(name, twin);
  }
  return redirect;
}

/** Tensors would have to be compared byte by byte, subgraphs as wholes; Dropout may be random. */
function isComparable(node: Node): boolean {
  if (!findOperator(node.domain, node.op) || node.op === 'Dropout' || subgraphsOf(node).length > 0) return false;
  return [...node.attributes.values()].every(({ kind }) => kind !== 'tensor') && !node.outputs.includes('');
}

function keyOf(node: Node, redirect: ReadonlyMap<string, string>): string {
  const show = ([name, entry]: [string, Attribute]) => [name, entry.kind, entry.value];
  const inputs = node.inputs.map((name) => redirect.get(name) ?? name);
  const attributes = [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1)).map(show);
  return JSON.stringify([node.domain, node.op, inputs, node.outputs.length, attributes]);
}
