import type { Diagnostic } from '../core/diagnostic';
import type { Graph } from '../ir/graph';

/** What a pass that can find problems returns. */
export interface PassResult {
  readonly graph: Graph;
  readonly diagnostics: readonly Diagnostic[];
}
