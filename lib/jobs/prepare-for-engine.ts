import type { Graph } from '../ir/graph';
import { bindToOneSample } from '../passes/bind-inputs';
import { prepare } from '../passes/pipeline';
import type { Trace } from '../passes/rewrite';

/** The graph prepared for single samples, which is what plans serve; extents that the model leaves free stay so. */
export function prepareForEngine(graph: Graph, trace?: Trace): Graph {
  return prepare(bindToOneSample(graph), { pads: 'fold', trace }).graph;
}
