/** What a board tells of itself. A figure that it does not know is null, with the reason. */
export interface MachineFacts {
  /** Versions of Hone and of Node there. */
  readonly version: string;
  readonly node: string;
  /** As Node calls it, such as `linux-arm64`. */
  readonly platform: string;
  readonly kernel: string;
  readonly cpu: { readonly model: string; readonly count: number; readonly usable: number };
  /** Instruction sets of which the engine has kernels; why it has none. */
  readonly engine: { readonly kernels: string | null; readonly reason: string | null };
  readonly memory: Room;
  /** Of the file system that has the agent's folder. */
  readonly disk: Room;
  readonly uptimeS: number;
  readonly wallMs: number;
  readonly sources: readonly {
    readonly id: string;
    readonly what: string;
    readonly readings: readonly string[];
    readonly reason: string | null;
  }[];
  readonly readings: readonly {
    readonly name: string;
    readonly unit: string;
    readonly value: number | null;
    readonly reason?: string;
  }[];
}

interface Room {
  readonly totalBytes: number;
  readonly freeBytes: number;
}
