import { type Diagnostic, formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import type { PassResult } from './pass-result';

/** What contradicts the rules of ONNX: no runtime can compute it. All other errors are about what Hone does not know. */
const CONTRADICTIONS: ReadonlySet<string> = new Set([
  'schema',
  'shape-mismatch',
  'type-mismatch',
  'missing-input',
  'window',
  'bad-axis',
  'bad-step',
  'bad-index',
]);

/** What contradicts the rules of ONNX among what is wrong with a graph. */
export function contradictionsIn(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ severity, kind }) => severity === 'error' && CONTRADICTIONS.has(kind));
}

/**
 * The graph of what a pass returns, which no node contradicts. Executors need not survive other graphs: onnxruntime ends the
 * process for a Slice of an extent below 0.
 * @throws E_GRAPH_INVALID naming every node whose inputs do not fit together
 */
export function requireConsistent({ graph, diagnostics }: PassResult): Graph {
  const wrong = contradictionsIn(diagnostics);
  if (wrong.length > 0) throw new HoneError('E_GRAPH_INVALID', { diagnostics: formatDiagnostics(wrong) });
  return graph;
}
