import type { Evaluate, Graph } from '../ir/graph';
import type { Tensor } from '../ir/tensor';

/** What ran a network for the outputs that it is judged by. */
export interface JudgedBy {
  /** `native`: the integer engine, as a board will run it; `onnxruntime`: in a form that cannot saturate. */
  readonly executor: 'native' | 'onnxruntime';
  /** Why it was not the engine; null when it was. */
  readonly reason: string | null;
}

/** A network opened to be judged by its outputs. */
export interface Finished {
  readonly by: JudgedBy;
  /** The graph as it runs: `feedsOf` of it gives feeds that fit. */
  readonly graph: Graph;
  /** All outputs by name. */
  run(feeds: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>>;
  close(): Promise<void>;
}

/** Opens a network that nothing will change any more. */
export type OpenFinished = (graph: Graph) => Promise<Finished>;

/** Frees what an executor keeps for a graph that will not run for some time. */
export type Release = (graph: Graph) => Promise<void>;

/** Opens networks with the executor that methods have, for the given reason. */
export function finishedBy(evaluate: Evaluate, reason: string): OpenFinished {
  return async (graph) => ({
    by: { executor: 'onnxruntime', reason },
    graph,
    run: (feeds) => evaluate(graph, feeds, graph.outputs),
    close: async () => {},
  });
}
