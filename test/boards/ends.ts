import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { BoardEnd } from '../../lib/agent/stdio/board-end';
import { ROOT } from '../tidy/sources';

/** A stream whose bytes come out of another. */
class MemoryEnd extends Duplex {
  other!: MemoryEnd;
  private more: (() => void) | undefined;

  override _read(): void {
    const { more } = this;
    this.more = undefined;
    more?.();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    if (this.other.push(chunk)) setImmediate(done);
    else this.other.more = done;
  }

  override _final(done: () => void): void {
    this.other.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.other.destroyed) setImmediate(() => this.other.destroy());
    done(error);
  }
}

/** Two ends of a stream in memory. */
function memoryPair(): [MemoryEnd, MemoryEnd] {
  const ends: [MemoryEnd, MemoryEnd] = [new MemoryEnd(), new MemoryEnd()];
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}

/** A way to a board's end: the stream of the controller, and what waits until the other end is over. */
export interface Way {
  readonly stream: Duplex;
  readonly over: Promise<unknown>;
}

export async function overMemory(folder: string): Promise<Way> {
  const [stream, there] = memoryPair();
  const { over } = await BoardEnd.begin(folder, there, there);
  return { stream, over };
}

export async function overTcp(folder: string): Promise<Way> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const stream = dial({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const there = await accepted;
  server.close();
  const { over } = await BoardEnd.begin(folder, there, there);
  return { stream, over };
}

/** The program itself, over the pipes of a child process. */
export async function overChild(folder: string): Promise<Way & { readonly child: ChildProcess }> {
  const program = join(ROOT, 'dist', 'lib', 'agent', 'hone-agent.js');
  const child = spawn(process.execPath, [program, '--stdio', '--folder', folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const over = new Promise((resolve) => child.once('close', resolve));
  const stream = Duplex.from({ readable: child.stdout!, writable: child.stdin! });
  return { stream, over, child };
}
