/** A version of a model that may be served, and how. */
export interface CatalogueEntry {
  readonly name: string;
  readonly version: string;
  /** The plan: bytes, or a file. */
  readonly plan: Uint8Array | string;
  /** Whether it is to be served. */
  readonly loaded: boolean;
  /** Cores that a run takes at most; default 1. */
  readonly threads?: number | undefined;
  /** Requests that may wait; default 64. */
  readonly queue?: number | undefined;
  /** Milliseconds within which a request is answered that says nothing else; default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Whether the leading extent of all inputs and outputs is a batch that requests may share; default false. */
  readonly batch?: boolean | undefined;
}

/** Which plans there are and which of them are to be served. */
export interface Catalogue {
  /** What it holds now: it may have been changed since it was last asked. @throws what reading it throws */
  entries(): Promise<readonly CatalogueEntry[]>;
  /** The plan of an entry, where it may be opened. @throws what finding it throws */
  locate(entry: CatalogueEntry): Promise<Uint8Array | string>;
  /** Remembers that a version is to be served, or no more. @throws what writing it throws */
  setLoaded(name: string, version: string, loaded: boolean): Promise<void>;
  /** Checks an entry that is to be put in. Where entries cannot be put in both are left out. @throws E_CATALOGUE */
  check?(entry: CatalogueEntry): void;
  /** Remembers an entry, in the place of one of that name and version. @throws what writing it throws */
  put?(entry: CatalogueEntry): Promise<void>;
}

/** A catalogue in memory. */
export function fixedCatalogue(entries: readonly CatalogueEntry[]): Catalogue {
  let known = entries;
  return {
    entries: async () => known,
    locate: async ({ plan }) => plan,
    setLoaded: async (name, version, loaded) => {
      known = known.map((entry) => (entry.name === name && entry.version === version ? { ...entry, loaded } : entry));
    },
  };
}

/** A key for a version of a model. */
export function modelKey({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}\0${version}`;
}
