/** One version of a model that may be served. */
export interface RepositoryEntry {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE';
  /** Why it is unavailable; empty else. */
  readonly reason: string;
}

/** What a process of an agent does. */
export type AgentRole = 'supervisor' | 'front' | 'worker';

/** A process of an agent. Memory is null, with the reason, where it cannot be read. */
export interface AgentProcess {
  readonly pid: number;
  readonly roles: readonly AgentRole[];
  /** Of workers: what it runs. */
  readonly model?: string;
  readonly version?: string;
  /** Number of the user it runs under. */
  readonly uid: number | null;
  /** Memory that is resident. */
  readonly rssBytes: number | null;
  /** The same with what several processes share divided among them: these sum up. */
  readonly pssBytes: number | null;
  /** What its control group may have; null without a bound. */
  readonly limitBytes: number | null;
  readonly reason?: string;
}

/** A version of a model that is served. */
export interface ServedStatus {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  /** Process number of its worker, while that is ready. */
  readonly pid: number | null;
  /** How often the worker was started again. */
  readonly restarts: number;
  /** Why the last worker ended; null when none has. */
  readonly reason: string | null;
  readonly retryMs: number;
  /** Requests that wait, and that run. */
  readonly waiting: number;
  readonly running: number;
  /** Bytes of its plan, packed weights with it, of its arena, and of what its kernels need beside. */
  readonly memory: { readonly weightBytes: number; readonly arenaBytes: number; readonly scratchBytes: number };
}

/** How an agent fares. */
export interface AgentStatus {
  readonly pid: number;
  /** Address of its HTTP port. */
  readonly url: string;
  readonly version: string;
  readonly uptimeS: number;
  readonly stopping: boolean;
  /** Cores that inferences may take, and of those the ones that none holds. */
  readonly cores: { readonly total: number; readonly free: number };
  readonly connections: number;
  /** Requests whose body is arriving. */
  readonly uploads: number;
  readonly models: readonly ServedStatus[];
  /** All that may be served; null where the catalogue cannot be read, which `repositoryReason` tells then. */
  readonly repository: readonly RepositoryEntry[] | null;
  readonly repositoryReason?: string;
  readonly processes: readonly AgentProcess[];
}
