import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What a load generator is to do. */
export interface LoadTask {
  readonly url: string;
  /** File of the body; left out: GET. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly seconds: number;
  /** Closed loop: so many clients, each with one request at a time, `pauseMs` between them. */
  readonly clients?: number;
  readonly pauseMs?: number;
  /** Open loop: so many requests a second, whether the last were answered or not. */
  readonly perSecond?: number;
}

/** One request, in milliseconds; `status` is that of HTTP, or the code of an error of the connection. */
export interface LoadSample {
  /** Since 1970, when it was sent. */
  readonly sentMs: number;
  readonly ms: number;
  readonly status: number | string;
}

const task = JSON.parse(process.argv[2]) as LoadTask;
const agent = new Agent({ keepAlive: true, noDelay: true });
const body = task.body === undefined ? undefined : readFileSync(task.body);
const samples: LoadSample[] = [];

function ask(): Promise<void> {
  return new Promise((resolve) => {
    const [sentMs, begun] = [Date.now(), performance.now()];
    const done = (status: number | string) => {
      samples.push({ sentMs, ms: performance.now() - begun, status });
      resolve();
    };
    const headers = { ...task.headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) };
    const message = request(task.url, { agent, method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      response.on('data', () => {});
      response.on('end', () => done(response.statusCode!));
      response.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    });
    message.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    message.end(body);
  });
}

async function main(): Promise<void> {
  const end = performance.now() + task.seconds * 1000;
  if (task.perSecond !== undefined) {
    const pending: Promise<void>[] = [];
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
        await ask();
        if (task.pauseMs !== undefined) await delay(task.pauseMs);
      }
    };
    await Promise.all(Array.from({ length: task.clients ?? 1 }, client));
  }
  process.stdout.write(JSON.stringify(samples), () => process.exit());
}

void main();
