import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HoneError } from '../../core/error';
import { type Destination, destinationText } from '../destination';
import type { Channel, Link, Ran, ScriptOptions } from '../link';

/** Why a script did not begin, or what carried it ended before it. */
export interface LinkFailure {
  /** Whether the script had begun on the board. */
  readonly begun: boolean;
  readonly code: number | null;
  readonly stderr: string;
  /** Why the carrying process could not be started. */
  readonly startError?: Error;
}

/** What differs between links that are child processes. */
export interface ProcessLinkKind {
  readonly destination: Destination;
  /** Starts the process that runs a script on the board. */
  start(script: string): ChildProcessWithoutNullStreams;
  /** The error of a failed start, or of the carrying process itself. */
  explain(failure: LinkFailure): HoneError | Promise<HoneError>;
  /** Whether this exit code may be the carrying process's own. */
  isOwnCode?(code: number | null): boolean;
}

const TIMEOUT_MS = 60_000;
const LIMIT_BYTES = 4 << 20;
const STDERR_BYTES = 64 << 10;
/** Most bytes that a login may print before a script begins. */
const GREETING_BYTES = 64 << 10;
/** How long a process may take to end after it was asked to. */
const GRACE_MS = 1000;

/** A link whose scripts are each carried by one child process. */
export function processLink(kind: ProcessLinkKind): Link {
  const board = destinationText(kind.destination);
  const open = new Set<Carrier>();
  const begin = async (script: string, signal?: AbortSignal): Promise<Carrier> => {
    if (signal?.aborted) throw interrupted(board);
    const carrier = new Carrier(kind, script);
    open.add(carrier);
    void carrier.closed.then(() => open.delete(carrier));
    return carrier;
  };
  return {
    destination: kind.destination,
    async run(script, options = {}) {
      const carrier = await begin(script, options.signal);
      return runWith(carrier, board, options);
    },
    async open(script, { signal } = {}) {
      const carrier = await begin(script, signal);
      const stop = () => carrier.end(interrupted(board));
      signal?.addEventListener('abort', stop);
      const ended = carrier.ended().finally(() => signal?.removeEventListener('abort', stop));
      // Whoever waits for `begun` alone must not be told twice.
      ended.catch(() => {});
      await Promise.race([carrier.begun, ended]);
      return channel(carrier, ended);
    },
    async close() {
      await Promise.all(
        [...open].map((carrier) => {
          carrier.end(new HoneError('E_BOARD_DROPPED', carrier.closedHere));
          return carrier.closed;
        }),
      );
    },
  };
}

async function runWith(carrier: Carrier, board: string, options: ScriptOptions): Promise<Ran> {
  const { input, timeoutMs = TIMEOUT_MS, limitBytes = LIMIT_BYTES, signal } = options;
  const stop = () => carrier.end(interrupted(board));
  const timer = setTimeout(() => {
    const reason = `it did not answer within ${(timeoutMs / 1000).toFixed(0)} s`;
    carrier.end(new HoneError('E_BOARD_TIMEOUT', { board, reason }));
  }, timeoutMs);
  signal?.addEventListener('abort', stop);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    carrier.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes) chunks.push(chunk);
      else
        carrier.end(
          new HoneError('E_BOARD_ANSWER', { board, reason: `its answer is longer than ${limitBytes} bytes` }),
        );
    });
    // A script may end before it has read everything: how it ended tells more than a broken pipe.
    const fed = input instanceof Readable ? input : Readable.from(input === undefined ? [] : [input]);
    const sent = pipeline(fed, carrier.child.stdin).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET')
        carrier.end(error);
    });
    const { code, stderr } = await carrier.ended();
    fed.destroy();
    await sent;
    return { code, stderr, stdout: Buffer.concat(chunks) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

function channel(carrier: Carrier, ended: Channel['ended']): Channel {
  const { stdout, child } = carrier;
  const stream = new Duplex({
    read: () => void stdout.resume(),
    // What cannot be written any more is dropped: what the program still says, and `ended`, tell more than a broken pipe.
    write: (chunk, _encoding, done) => (child.stdin.destroyed ? done() : void child.stdin.write(chunk, () => done())),
    final: (done) => (child.stdin.destroyed ? done() : void child.stdin.end(() => done())),
    destroy(error, done) {
      // A program that closed its output is let to its end.
      if (!stdout.readableEnded) carrier.end(new HoneError('E_BOARD_DROPPED', carrier.closedHere));
      done(error);
    },
  });
  stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stdout.on('end', () => stream.push(null));
  return { stream, ended };
}

function interrupted(board: string): HoneError {
  return new HoneError('E_INTERRUPTED', { what: `what ran on ${board}` });
}

/** One child process that carries one script. */
class Carrier {
  readonly child: ChildProcessWithoutNullStreams;
  /** What the script itself printed. */
  readonly stdout = new PassThrough();
  /** Settled when the process and its pipes are gone. */
  readonly closed: Promise<void>;
  /** Settled when the script has begun. */
  readonly begun: Promise<void>;
  readonly #kind: ProcessLinkKind;
  #hasBegun = false;
  #startError: Error | undefined;
  #stderr = Buffer.alloc(0);
  /** Why this side ended it. */
  #reason: Error | undefined;

  constructor(kind: ProcessLinkKind, script: string) {
    this.#kind = kind;
    // Everything before this line is what the login of the board prints.
    const mark = Buffer.from(`hone ${randomBytes(12).toString('hex')}\n`);
    this.child = kind.start(`echo ${mark.toString().trim()}\n${script}`);
    this.child.on('error', (error) => {
      this.#startError ??= error;
    });
    this.child.stdin.on('error', () => {});
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_BYTES);
    });
    this.closed = new Promise((resolve) => this.child.once('close', () => resolve()));
    this.begun = new Promise((resolve) => this.#passOn(mark, resolve));
  }

  /** Details of the error when this side closes it. */
  get closedHere(): { board: string; reason: string } {
    return { board: destinationText(this.#kind.destination), reason: 'the link was closed' };
  }

  /** How the script ended. @throws why it could not begin, or what carried it failed */
  async ended(): Promise<Omit<Ran, 'stdout'>> {
    await this.closed;
    if (this.#reason !== undefined) throw this.#reason;
    const { exitCode: code } = this.child;
    const stderr = this.#stderr.toString('utf8');
    const isOwn = code === null || (this.#kind.isOwnCode?.(code) ?? false);
    if (this.#hasBegun && !isOwn) return { code, stderr };
    const failure = { begun: this.#hasBegun, code, stderr };
    throw await this.#kind.explain(
      this.#startError === undefined ? failure : { ...failure, startError: this.#startError },
    );
  }

  /** Ends the process for a reason of this side, by force when it does not go. */
  end(reason: Error): void {
    this.#reason ??= reason;
    this.child.stdin.destroy();
    this.stdout.resume();
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.child.kill('SIGKILL');
      // A grandchild may still hold the pipes.
      this.child.stdout.destroy();
      this.child.stderr.destroy();
    }, GRACE_MS);
    void this.closed.then(() => clearTimeout(timer));
  }

  #passOn(mark: Buffer, begun: () => void): void {
    const { stdout } = this.child;
    let greeting = Buffer.alloc(0);
    const look = (chunk: Buffer) => {
      greeting = Buffer.concat([greeting, chunk]);
      const at = greeting.indexOf(mark);
      if (at === -1) {
        if (greeting.length < GREETING_BYTES) return;
        const reason = `its login printed more than ${GREETING_BYTES} bytes`;
        this.end(new HoneError('E_BOARD_SHELL', { board: destinationText(this.#kind.destination), reason }));
        return;
      }
      stdout.off('data', look);
      this.#hasBegun = true;
      begun();
      const rest = greeting.subarray(at + mark.length);
      if (rest.length > 0) this.stdout.write(rest);
      stdout.pipe(this.stdout);
    };
    stdout.on('data', look);
    stdout.once('close', () => this.stdout.end());
  }
}
