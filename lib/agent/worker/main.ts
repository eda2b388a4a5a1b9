import { createServer, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { endIfSilent } from '../../engine/end-if-silent';
import { hasPassedSocket, PASSED_FD } from '../passed-socket';
import { Worker } from './worker';

/**
 * Process of a worker: `main.js PLAN`. Its front is at descriptor 3: connected, or, where systemd started it (LISTEN_FDS, LISTEN_PID),
 * about to connect there. It ends with the front, with the plan's first fault, and by itself where it hangs.
 */
/** Seconds without a sign of life after which the system ends the process, and how often it gives one, in milliseconds. */
const SILENCE_S = 10;
const SIGN_OF_LIFE_MS = 1000;
const CHUNK_BYTES = 256 * 1024;
/** Exit code of a worker that ends itself because a run hangs, as sysexits.h has EX_SOFTWARE. */
const HUNG = 70;

/** Where bytes of the front go. */
interface Chunks {
  take: (chunk: Uint8Array) => void;
}

function serve(plan: string, socket: Socket, chunks: Chunks): void {
  const worker = new Worker(plan, socket);
  chunks.take = (chunk) => {
    try {
      worker.push(chunk);
    } catch (error) {
      end(1, (error as Error).message);
    }
  };
  socket.on('error', () => process.exit(0));
  socket.on('close', () => process.exit(0));
  setInterval(() => {
    if (worker.isHung) end(HUNG, 'an inference hangs: it goes on though it was cancelled');
    if (worker.isOpen) endIfSilent(SILENCE_S);
  }, SIGN_OF_LIFE_MS).unref();
}

function end(code: number, reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(code);
}

function main(): void {
  const plan = process.argv[2];
  if (plan === undefined) end(64, 'usage: main.js PLAN, with the front at descriptor 3');
  // What stops the agent stops its workers when their front has done with them.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const chunks: Chunks = { take: () => {} };
  if (!hasPassedSocket(process.env, process.pid)) {
    // What arrives lies in one buffer for as long as it is looked at: a stream would make one for every chunk.
    const onread = {
      buffer: new Uint8Array(CHUNK_BYTES),
      callback: (count: number, buffer: Uint8Array) => {
        chunks.take(buffer.subarray(0, count));
        return true;
      },
    };
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd: PASSED_FD,
      readable: true,
      writable: true,
      onread,
    };
    serve(plan, new Socket(options), chunks);
    return;
  }
  const server = createServer((socket) => {
    server.close();
    serve(plan, socket, chunks);
    socket.on('data', (chunk) => chunks.take(chunk));
  });
  server.listen({ fd: PASSED_FD });
}

main();
