import type { RepositoryEntry } from '../../protocol/agent-status';

/** Who owns which plans are loaded. */
export interface Repository {
  index(): Promise<readonly RepositoryEntry[]>;
  /** Loads a model, or a version of it, and answers when it can be asked. @throws E_MODEL_UNKNOWN, what opening the plan throws */
  load(model: string, version?: string): Promise<void>;
  /** @throws E_MODEL_UNKNOWN */
  unload(model: string, version?: string): Promise<void>;
}
