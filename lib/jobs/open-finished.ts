import { compile, diagnose } from '../compile/compile';
import { finishedBy, type OpenFinished } from '../compress/finished';
import { HoneError } from '../core/error';
import { loadAddon } from '../engine/addon';
import type { Evaluate, Graph } from '../ir/graph';
import { freeInputs } from '../passes/bind-inputs';
import { narrowPorts } from '../passes/narrow-ports';
import { isQuantized } from './artifact';
import { openNativeExecutor } from './native-executor';
import { prepareForEngine } from './prepare-for-engine';

/** Why the native engine cannot be loaded, in words; undefined when it can. */
export function missingEngine(): string | undefined {
  try {
    loadAddon();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export interface OpenFinishedOptions {
  /** Tells why there is no engine; asks it when left out. */
  readonly lacking?: () => string | undefined;
  /** Inputs and outputs that plans of these networks have as float16: they round in judgement, too. */
  readonly float16Ports?: ReadonlySet<string>;
}

/**
 * Opens networks for judgement: quantized ones on the native engine where it can run them, as a board will; all others by
 * `evaluate`, and the answer says why.
 */
export function openFinishedWith(
  evaluate: Evaluate,
  { lacking = missingEngine, float16Ports = new Set() }: OpenFinishedOptions = {},
): OpenFinished {
  const byReference = (reason: string, graph: Graph) => finishedBy(evaluate, reason)(graph);
  // A network is often judged several times.
  const compiled = new WeakMap<Graph, CompiledGraph>();
  return async (graph) => {
    if (!isQuantized(graph)) return byReference('it computes in float', graph);
    const missing = lacking();
    if (missing !== undefined) return byReference(missing, graph);
    const [free] = freeInputs(graph);
    if (free) return byReference(`the extents of input ${free.name} are not fixed`, graph);
    const { prepared, plan } = compiled.get(graph) ?? compileGraph(graph, float16Ports);
    compiled.set(graph, { prepared, plan });
    if (typeof plan === 'string') return byReference(plan, graph);
    const executor = openNativeExecutor(plan);
    return { by: { executor: 'native', reason: null }, graph: prepared, run: executor.run, close: executor.close };
  };
}

interface CompiledGraph {
  readonly prepared: Graph;
  /** The plan, or what the engine lacks. */
  readonly plan: Uint8Array | string;
}

function compileGraph(graph: Graph, float16Ports: ReadonlySet<string>): CompiledGraph {
  const prepared = prepareForEngine(graph);
  return { prepared, plan: planOf(narrowPorts(prepared, float16Ports)) };
}

/** A plan, or what the engine lacks for the graph. */
function planOf(graph: Graph): Uint8Array | string {
  try {
    return compile(graph, { sourceHash: '0'.repeat(64) }).plan;
  } catch (error) {
    if (!(error instanceof HoneError && error.code === 'E_OPERATOR_UNSUPPORTED')) throw error;
    const [lack] = diagnose(graph).filter(({ severity }) => severity === 'error');
    return `the engine does not run ${lack.where}: ${lack.message}`;
  }
}
