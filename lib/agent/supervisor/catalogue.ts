/** A version of a model that may be served, and how. */
export interface CatalogueEntry {
  readonly name: string;
  readonly version: string;
  /** The plan: bytes, or a file. */
  readonly plan: Uint8Array | string;
  /** Whether it is to be served. */
  readonly loaded: boolean;
  /** Cores that a run takes at most; default 1. */
  readonly threads?: number;
  /** Requests that may wait; default 64. */
  readonly queue?: number;
  /** Milliseconds within which a request is answered that says nothing else; default 10,000. */
  readonly timeoutMs?: number;
  /** Whether the leading extent of all inputs and outputs is a batch that requests may share; default false. */
  readonly batch?: boolean;
}

/** Which plans there are and which of them are to be served. */
export interface Catalogue {
  entries(): readonly CatalogueEntry[];
  /** Remembers that a version is to be served, or no more. */
  setLoaded(name: string, version: string, loaded: boolean): Promise<void>;
}

/** A catalogue in memory. */
export function fixedCatalogue(entries: readonly CatalogueEntry[]): Catalogue {
  let known = entries;
  return {
    entries: () => known,
    setLoaded: async (name, version, loaded) => {
      known = known.map((entry) => (entry.name === name && entry.version === version ? { ...entry, loaded } : entry));
    },
  };
}
