/** One version of a model that may be served. */
export interface RepositoryEntry {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE';
  /** Why it is unavailable; empty else. */
  readonly reason: string;
}

/** Who owns which plans are loaded. */
export interface Repository {
  index(): Promise<readonly RepositoryEntry[]>;
  /** Loads a model, or a version of it, and answers when it can be asked. @throws E_MODEL_UNKNOWN, what opening the plan throws */
  load(model: string, version?: string): Promise<void>;
  /** @throws E_MODEL_UNKNOWN */
  unload(model: string, version?: string): Promise<void>;
}
