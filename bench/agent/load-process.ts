import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What a load generator is to do. */
export interface LoadTask {
  readonly url: string;
  /** File of the body; left out: GET. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly seconds: number;
  /** Closed loop: so many clients, each with one request at a time, `pauseMs` between them; they wait where they are told to. */
  readonly clients?: number;
  readonly pauseMs?: number;
  /** What every client asks for once before, by GET: its connection is open then, and its own code warm. */
  readonly warmUp?: string;
  /** Open loop: so many requests a second, whether the last were answered or not. */
  readonly perSecond?: number;
}

/** One request, in milliseconds; `status` is that of HTTP, or the code of an error of the connection. */
export interface LoadSample {
  /** Since 1970, when it was sent. */
  readonly sentMs: number;
  readonly ms: number;
  readonly status: number | string;
  /** Milliseconds in the engine, as the server tells. */
  readonly computeMs?: number;
}

/** An answer, or the code of an error of the connection. */
interface Answer {
  readonly status: number | string;
  readonly head: string;
}

const HEAD_END = '\r\n\r\n';
const task = JSON.parse(process.argv[2]) as LoadTask;
const samples: LoadSample[] = [];
const idle: Connection[] = [];

/** The bytes of a request, made once: a generator that takes long over each request measures itself. */
function requestBytes(url: string, body?: Buffer): Buffer {
  const { host, pathname, search } = new URL(url);
  const fields = { host, ...task.headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) };
  const lines = Object.entries(fields).map(([name, text]) => `${name}: ${text}\r\n`);
  const head = `${body === undefined ? 'GET' : 'POST'} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
}

/** A kept connection with one request at a time; answers must tell their length. */
class Connection {
  private readonly socket: Socket;
  private settle: ((answer: Answer) => void) | undefined;
  /** Of the answer that is arriving: its bytes as long as its head is not whole, then that head and what is still to come. */
  private held: Buffer | undefined;
  private head = '';
  private missing = 0;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.socket.on('data', (chunk) => this.take(chunk));
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.lost(error.code ?? error.message));
    this.socket.on('close', () => this.lost('ECONNRESET'));
  }

  send(bytes: Buffer): Promise<Answer> {
    return new Promise((resolve) => {
      this.settle = resolve;
      this.socket.write(bytes);
    });
  }

  private take(chunk: Buffer): void {
    let bytes = chunk.length;
    if (this.head === '') {
      this.held = this.held === undefined ? chunk : Buffer.concat([this.held, chunk]);
      const end = this.held.indexOf(HEAD_END);
      if (end < 0) return;
      this.head = this.held.toString('latin1', 0, end + 2).toLowerCase();
      this.missing = Number(/\r\ncontent-length: *(\d+)/.exec(this.head)?.[1] ?? Number.NaN);
      bytes = this.held.length - end - HEAD_END.length;
      this.held = undefined;
    }
    this.missing -= bytes;
    if (this.missing > 0) return;
    const { head, settle } = this;
    this.head = '';
    this.settle = undefined;
    if (!(this.missing === 0)) this.lost('an answer that does not tell its length');
    else if (head.includes('\r\nconnection: close')) this.socket.end();
    else idle.push(this);
    settle?.({ status: this.missing === 0 ? Number(head.slice(9, 12)) : 'EPROTO', head });
  }

  private lost(code: string): void {
    const place = idle.indexOf(this);
    if (place >= 0) idle.splice(place, 1);
    this.socket.destroy();
    this.settle?.({ status: code, head: '' });
    this.settle = undefined;
  }
}

/** One request; `note` gets what came of it, and the seconds that the server asks to wait are returned. */
async function exchange(url: string, sent: Buffer, note: (sample: LoadSample) => void): Promise<number> {
  const connection = idle.pop() ?? new Connection(url);
  const [sentMs, begun] = [Date.now(), performance.now()];
  const { status, head } = await connection.send(sent);
  const ms = performance.now() - begun;
  const timing = /\r\nserver-timing:.*compute;dur=([\d.]+)/.exec(head)?.[1];
  note({ sentMs, ms, status, ...(timing === undefined ? {} : { computeMs: Number(timing) }) });
  return Number(/\r\nretry-after: *(\d+)/.exec(head)?.[1] ?? 0);
}

const bytes = requestBytes(task.url, task.body === undefined ? undefined : readFileSync(task.body));
const ask = () => exchange(task.url, bytes, (sample) => samples.push(sample));

async function warmUp(url: string, clients: number): Promise<void> {
  const sent = requestBytes(url);
  await Promise.all(Array.from({ length: clients }, () => exchange(url, sent, () => {})));
}

async function main(): Promise<void> {
  if (task.warmUp !== undefined) await warmUp(task.warmUp, task.clients ?? 1);
  const end = performance.now() + task.seconds * 1000;
  if (task.perSecond !== undefined) {
    const pending: Promise<number>[] = [];
    const begun = performance.now();
    for (let number = 0; performance.now() < end; number++) {
      const due = begun + (number * 1000) / task.perSecond;
      if (due > performance.now()) await delay(due - performance.now());
      pending.push(ask());
    }
    await Promise.all(pending);
  } else {
    const client = async () => {
      while (performance.now() < end) {
        const retryS = await ask();
        const pauseMs = Math.max(task.pauseMs ?? 0, retryS * 1000);
        if (pauseMs > 0) await delay(pauseMs);
      }
    };
    await Promise.all(Array.from({ length: task.clients ?? 1 }, client));
  }
  process.stdout.write(JSON.stringify(samples), () => process.exit());
}

void main();
