import type { Evaluate, Graph } from '../ir/graph';
import { openReference, type Reference, type ReferenceOptions } from './session';

/** An `Evaluate` with a lifetime: it keeps sessions, `close` frees them. */
export interface ReferenceEvaluate extends AsyncDisposable {
  readonly evaluate: Evaluate;
  /** Closes the session of a graph once running calls have ended; evaluating the graph again opens another. */
  release(graph: Graph): Promise<void>;
  close(): Promise<void>;
}

interface Entry {
  /** The extra values that the session offers. */
  readonly extra: ReadonlySet<string>;
  readonly session: Promise<Reference>;
}

/**
 * Evaluates graphs with onnxruntime. Any value may be fetched, inner ones too. One session is kept per Graph object as
 * long as that object lives; a fetch of inner values that it does not offer yet opens one that offers all asked so far.
 * @throws E_REFERENCE_MISSING, E_REFERENCE_LOAD, E_REFERENCE_RUN, E_INPUT_NAME (from `evaluate`)
 */
export function createReferenceEvaluate(options: ReferenceOptions = {}): ReferenceEvaluate {
  const entries = new WeakMap<Graph, Entry>();
  const open = new Set<WeakRef<Reference>>();

  function sessionFor(graph: Graph, fetches: readonly string[]): Promise<Reference> {
    const known = entries.get(graph);
    const missing = fetches.filter((name) => !graph.outputs.includes(name) && !known?.extra.has(name));
    if (known && missing.length === 0) return known.session;
    const extra = new Set([...(options.alsoFetch ?? []), ...(known?.extra ?? []), ...missing]);
    const session = openReference(graph, { ...options, alsoFetch: [...extra] });
    const entry = { extra, session };
    entries.set(graph, entry);
    session.then(
      (reference) => {
        open.add(new WeakRef(reference));
        return known?.session.then((former) => former.close());
      },
      () => {
        // A session that failed to open must not stay: the next call may ask for other values.
        if (entries.get(graph) !== entry) return;
        if (known) entries.set(graph, known);
        else entries.delete(graph);
      },
    );
    return session;
  }

  const release = async (graph: Graph): Promise<void> => {
    const known = entries.get(graph);
    entries.delete(graph);
    await (await known?.session)?.close();
  };
  const close = async (): Promise<void> => {
    const sessions = [...open].map((reference) => reference.deref());
    open.clear();
    await Promise.all(sessions.map((reference) => reference?.close()));
  };
  return {
    evaluate: async (graph, feeds, fetches) => (await sessionFor(graph, fetches)).run(feeds, fetches),
    release,
    close,
    [Symbol.asyncDispose]: close,
  };
}
