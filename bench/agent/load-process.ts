import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
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

const task = JSON.parse(process.argv[2]) as LoadTask;
const agent = new Agent({ keepAlive: true, noDelay: true });
const body = task.body === undefined ? undefined : readFileSync(task.body);
const samples: LoadSample[] = [];

/** One request; `note` gets what came of it, and the seconds that the server asks to wait. */
function exchange(url: string, sent: Buffer | undefined, note: (sample: LoadSample) => void): Promise<number> {
  return new Promise((resolve) => {
    const [sentMs, begun] = [Date.now(), performance.now()];
    const done = (status: number | string, answer?: IncomingMessage) => {
      const timing = /compute;dur=([\d.]+)/.exec(String(answer?.headers['server-timing']))?.[1];
      const sample = { sentMs, ms: performance.now() - begun, status };
      note(timing === undefined ? sample : { ...sample, computeMs: Number(timing) });
      resolve(Number(answer?.headers['retry-after'] ?? 0));
    };
    const headers = { ...task.headers, ...(sent === undefined ? {} : { 'content-length': String(sent.length) }) };
    const message = request(url, { agent, method: sent === undefined ? 'GET' : 'POST', headers }, (response) => {
      response.on('data', () => {});
      response.on('end', () => done(response.statusCode!, response));
      response.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    });
    message.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    message.end(sent);
  });
}

const ask = () => exchange(task.url, body, (sample) => samples.push(sample));

async function warmUp(url: string, clients: number): Promise<void> {
  await Promise.all(Array.from({ length: clients }, () => exchange(url, undefined, () => {})));
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
