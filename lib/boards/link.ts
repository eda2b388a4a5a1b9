import type { Duplex, Readable } from 'node:stream';
import type { Destination } from './destination';

export interface ScriptOptions {
  /** What the script reads from standard input; nothing when left out. */
  readonly input?: Uint8Array | Readable;
  /** Longest time that it may take, in milliseconds; 60,000. */
  readonly timeoutMs?: number;
  /** Most bytes of its standard output; 4 MiB. */
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

/** How a script ended, with what it said. All of it is a stranger's: show it through `printable` only. */
export interface Ran {
  readonly code: number;
  readonly stdout: Buffer;
  /** The end of its standard error, at most 64 KiB. */
  readonly stderr: string;
}

/** A program that runs on a board: what is written reaches its standard input, what is read is its standard output. */
export interface Channel {
  readonly stream: Duplex;
  /** How it ended, once it has. Rejects as `run` does. */
  readonly ended: Promise<Omit<Ran, 'stdout'>>;
}

/**
 * A way to a board. Scripts are of POSIX sh. Whatever the login of a board prints before a script begins is dropped.
 * Faults of the way itself are thrown: E_BOARD_UNREACHABLE, E_BOARD_TIMEOUT, E_BOARD_LOGIN, E_BOARD_HOST_KEY, E_BOARD_HOST_NEW,
 * E_BOARD_DROPPED, E_BOARD_SHELL, E_BOARD_LINK, E_BOARD_ANSWER, E_INTERRUPTED.
 */
export interface Link {
  readonly destination: Destination;
  /** Runs a script to its end. */
  run(script: string, options?: ScriptOptions): Promise<Ran>;
  /** Starts a script and hands on its streams; `exec PROGRAM` at its end leaves the program alone with them. */
  open(script: string, options?: { readonly signal?: AbortSignal }): Promise<Channel>;
  /** Ends what still runs over this link. */
  close(): Promise<void>;
}
