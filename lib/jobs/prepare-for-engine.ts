import type { Diagnostic } from '../core/diagnostic';
import type { Graph } from '../ir/graph';
import { bindToOneSample } from '../passes/bind-inputs';
import { prepare } from '../passes/pipeline';
import type { Trace } from '../passes/rewrite';

/**
 * The graph prepared for single samples, which is what plans serve; extents that the model leaves free stay so. `notes` gets
 * what the user should know of branches that are left out.
 */
export function prepareForEngine(graph: Graph, trace?: Trace, notes: Diagnostic[] = []): Graph {
  const prepared = prepare(bindToOneSample(graph), { pads: 'fold', subgraphs: 'inline', onLeftOut: 'fail', trace });
  notes.push(...prepared.diagnostics.filter(({ kind }) => kind === 'branch-left-out'));
  return prepared.graph;
}
