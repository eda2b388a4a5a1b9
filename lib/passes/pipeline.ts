import { type Diagnostic, formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import { subgraphsOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { verified } from '../ir/verify';
import { findOperator } from '../ops';
import { canonicalise } from './canonicalise';
import { checkForm } from './check-schema';
import { expandComposites, leftComposites } from './expand-composites';
import { foldConstants } from './fold-constants';
import { foldPads } from './fold-pads';
import { fuseBatchNorm } from './fuse-batch-norm';
import { bindShapes, inferShapes } from './infer-shapes';
import type { InferenceMemory } from './inference';
import { inlineBranches, selectBranches } from './inline-branches';
import { mergeDuplicates } from './merge-duplicates';
import type { PassResult } from './pass-result';
import { contradictionsIn } from './require-consistent';
import type { Trace } from './rewrite';
import { unfuseQlinear } from './unfuse-qlinear';
import { unrollLoops } from './unroll-loops';
import { upgrade } from './upgrade';
import { widenFloats } from './widen-floats';

export interface PrepareOptions {
  /** Numbers for symbols of the input shapes, such as `{ N: 1 }`. */
  readonly shapes?: Readonly<Record<string, number>>;
  /** `keep` leaves BatchNormalization beside its convolution, for training; `fuse` when left out. */
  readonly batchNorm?: 'fuse' | 'keep';
  /**
   * `fold` takes Pad nodes into the windows behind them, as engines want them; `keep` when left out: a model that is written
   * again stays as its author made it.
   */
  readonly pads?: 'fold' | 'keep';
  /**
   * `inline` puts all branches of an If and all rounds of a Loop or Scan into the graph where it can, as engines without subgraphs
   * want it; `keep` when left out.
   */
  readonly subgraphs?: 'inline' | 'keep';
  /** Whether runs on the engine fail that ask for a branch which cannot be right for the shapes at hand; `ignore` when left out. */
  readonly onLeftOut?: 'fail' | 'ignore';
  /** Checks the graph after every pass. */
  readonly verify?: boolean;
  /** Learns of every application of a rule. */
  readonly trace?: Trace | undefined;
}

/** A pass of `prepare`: it returns its argument when it has nothing to do. */
type Pass = (graph: Graph, memory: InferenceMemory) => Graph;

/** Passes that are repeated until none of them changes anything. */
function passesOf(
  { batchNorm, pads, subgraphs, onLeftOut, trace }: PrepareOptions,
  notes: Diagnostic[],
): readonly Pass[] {
  const others: readonly Pass[] = [
    mergeDuplicates,
    (graph) => unfuseQlinear(graph, trace),
    ...(batchNorm === 'keep' ? [] : [(graph: Graph) => fuseBatchNorm(graph, trace)]),
    (graph) => canonicalise(graph, trace),
    ...(pads === 'fold' ? [(graph: Graph) => foldPads(graph, trace)] : []),
  ];
  if (subgraphs !== 'inline') return [foldConstants, expandComposites, inlineBranches, ...others];
  const inlining: readonly Pass[] = [foldConstants, expandComposites, inlineBranches, unrollLoops];
  // What a branch gives, and whether it can be right, is seen when it stands in the graph.
  const attempt = (graph: Graph): Graph | undefined => {
    const memory: InferenceMemory = new WeakMap();
    const settled = inferShapes(settle(inferShapes(graph, memory).graph, inlining, memory), memory);
    return contradictionsIn(settled.diagnostics).length === 0 ? settled.graph : undefined;
  };
  return [...inlining, (graph) => selectBranches(graph, attempt, notes, onLeftOut), ...others];
}

/** The graph after passes that are repeated until none of them changes anything. */
function settle(
  graph: Graph,
  passes: readonly Pass[],
  memory: InferenceMemory,
  check = (result: Graph) => result,
): Graph {
  let current = graph;
  for (let round = 0; round < ROUND_LIMIT; round++) {
    const before = current;
    for (const pass of passes) {
      const next = pass(current, memory);
      if (next === current) continue;
      // Later rewrites look at shapes; what was wrong before has been reported already.
      current = check(inferShapes(check(next), memory).graph);
    }
    if (current === before) break;
  }
  return current;
}
/** Rounds of the passes; real models need two or three. */
const ROUND_LIMIT = 20;

/**
 * A graph as it was read, brought to the form that compression and compilation expect: float32, the dialect, every shape inferred,
 * constants folded, BatchNormalization fused (unless kept), canonical, pads folded (if wanted). It computes the same outputs up to
 * float32 rounding. A graph that contradicts itself is upgraded and inferred only: see `requireConsistent`.
 * @throws E_OPTION_VALUE for unknown symbols in `shapes`; E_GRAPH_INVALID when nodes lack inputs or attributes that their
 * operators require or have other ones, or when `verify` finds a defect
 */
export function prepare(graph: Graph, options: PrepareOptions = {}): PassResult {
  const check = options.verify ? verified : (result: Graph) => result;
  const widened = widenFloats(graph);
  const memory: InferenceMemory = new WeakMap();
  const upgraded = upgrade(options.shapes ? bindShapes(widened.graph, options.shapes) : widened.graph, memory);
  requireForms(upgraded.graph);
  const first = inferShapes(check(upgraded.graph), memory);
  const diagnostics: Diagnostic[] = [...widened.diagnostics, ...upgraded.diagnostics, ...first.diagnostics];
  // Rewrites count on what a node of their pattern must be.
  if (contradictionsIn(diagnostics).length > 0) return { graph: check(first.graph), diagnostics };
  const settled = settle(check(first.graph), passesOf(options, diagnostics), memory, check);
  return { graph: settled, diagnostics: [...withoutSettled(diagnostics, settled), ...leftComposites(settled)] };
}

/** Without words about operators that were not known and have been taken apart since. */
function withoutSettled(diagnostics: readonly Diagnostic[], graph: Graph): readonly Diagnostic[] {
  const unknown = new Set<string>();
  const collect = ({ nodes }: Graph): void => {
    for (const node of nodes) {
      if (findOperator(node.domain, node.op) === undefined) unknown.add(node.name);
      subgraphsOf(node).forEach(collect);
    }
  };
  collect(graph);
  return diagnostics.filter(({ kind, where }) => kind !== 'unknown-operator' || unknown.has(where));
}

/** @throws E_GRAPH_INVALID naming every node whose inputs, outputs or attributes are not those of its operator */
function requireForms(graph: Graph): void {
  const wrong = graph.nodes.flatMap((node) => {
    const operator = findOperator(node.domain, node.op);
    return operator ? checkForm(operator, node).filter(({ severity }) => severity === 'error') : [];
  });
  if (wrong.length > 0) throw new HoneError('E_GRAPH_INVALID', { diagnostics: formatDiagnostics(wrong) });
}
