import { capturesOf, subgraphsOf } from '../ir/edit';
import type { Graph, Node, ValueType } from '../ir/graph';
import { findOperator } from '../ops/index';
import { MAC_OPERATORS } from '../ops/mac-operators';
import { bindToOneSample } from '../passes/bind-inputs';
import { type BodyContext, bodyInputTypes, roundsOf } from '../passes/bodies';
import { inferShapes } from '../passes/infer-shapes';
import { prepare } from '../passes/pipeline';

/** Multiply-accumulates of a graph. */
export interface MacCount {
  /** Those that are known. */
  readonly macs: number;
  /** Names of nodes that have some, too, but not known how many: an extent is not. */
  readonly unknown: readonly string[];
}

/** Multiply-accumulates of one sample; nodes whose cost is not known are not in it. Expects the dialect. */
export function countMacs(graph: Graph): number {
  return measureMacs(graph).macs;
}

/**
 * Multiply-accumulates of one sample, and the nodes that it cannot tell them of. Of an If it counts the dearest branch that it can
 * tell them of (one that the shapes do not fit will not run); of a Loop or Scan every round of the body. Expects the dialect.
 */
export function measureMacs(graph: Graph): MacCount {
  return measureBound(oneSample(graph));
}

/** The graph with the extents of one sample, as far as its inputs have them; names stay. */
export function oneSample(graph: Graph): Graph {
  const bound = bindToOneSample(graph);
  return bound === graph ? graph : inferShapes(bound).graph;
}

/** Multiply-accumulates of a node alone whose values have these types; undefined when an extent or its cost is not known. */
export function macsOf(node: Node, typeOf: (name: string) => ValueType | undefined): number | undefined {
  const types = [...node.inputs, ...node.outputs].filter((name) => name !== '').map(typeOf);
  const known = types.every((type) => type?.shape?.every((dim) => typeof dim === 'number'));
  return known
    ? findOperator(node.domain, node.op)?.cost?.(node.inputs.map(typeOf), node.outputs.map(typeOf), node).macs
    : undefined;
}

function measureBound(graph: Graph): MacCount {
  const context: BodyContext = {
    typeOf: (name) => {
      const tensor = graph.initializers.get(name);
      return tensor ? { type: tensor.type, shape: tensor.dims } : graph.values.get(name);
    },
    constantOf: (name) => graph.initializers.get(name),
  };
  let macs = 0;
  const unknown: string[] = [];
  for (const node of graph.nodes) {
    const inner = measureBodies(node, context);
    macs += inner.macs;
    unknown.push(...inner.unknown);
    const own = macsOf(node, context.typeOf);
    if (own !== undefined) macs += own;
    else if (MAC_OPERATORS.has(node.op)) unknown.push(node.name);
  }
  return { macs, unknown };
}

function measureBodies(node: Node, context: BodyContext): MacCount {
  const counts = subgraphsOf(node).map((body) => measureBound(asGraph(body, node, context)));
  const [most] = [...counts].sort((a, b) => a.unknown.length - b.unknown.length || b.macs - a.macs);
  if (most === undefined || most.macs === 0) return most ?? { macs: 0, unknown: [] };
  const rounds = roundsOf(node, context);
  if (typeof rounds !== 'number') return { macs: 0, unknown: [...most.unknown, node.name] };
  return { ...most, macs: rounds * most.macs };
}

/** A body as a graph of its own, prepared: what it captures is a constant or an input of it. */
function asGraph(body: Graph, node: Node, context: BodyContext): Graph {
  const values = new Map(body.values);
  const initializers = new Map(body.initializers);
  const give = (name: string, type: ValueType | undefined) => void (type && values.set(name, type));
  const inputs = [...body.inputs];
  for (const name of capturesOf(body)) {
    const tensor = context.constantOf(name);
    if (tensor) initializers.set(name, tensor);
    else {
      inputs.push(name);
      give(name, context.typeOf(name));
    }
  }
  for (const [index, type] of bodyInputTypes(node, body, context).entries()) give(body.inputs[index], type);
  return prepare({ ...body, inputs, values, initializers }).graph;
}
