import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect as dial } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../lib/client/client';
import { connectSupervisor } from '../../lib/client/supervisor-client';
import { makeControlPath } from '../../lib/jobs/control-socket';
import { BODY_ROWS } from '../../test/agent/hostile/body-rows';
import { FRAMING_ROWS } from '../../test/agent/hostile/framing-rows';
import { HEAD_ROWS } from '../../test/agent/hostile/head-rows';
import { RawConnection } from '../../test/agent/hostile/raw';
import { get, type Row } from '../../test/agent/hostile/rows';

/** Whom a generator of load plays: those who infer, those who mean ill, those who watch, or the one who loads and unloads. */
export type SoakRole = 'clients' | 'hostile' | 'watchers' | 'owner';

export interface SoakTask {
  readonly role: SoakRole;
  readonly url: string;
  readonly seconds: number;
  readonly requests: readonly SoakRequest[];
  /** The model that is loaded and unloaded all the time. */
  readonly movable: string;
}

/** A request that clients send again and again. */
export interface SoakRequest {
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  /** File of the body. */
  readonly body: string;
  readonly clients: number;
  /** Between two requests of a client. */
  readonly pauseMs: number;
  /** Whether each client breaks off its requests at a random moment. */
  readonly isCancelled?: boolean;
}

/** What came of a role: counts by what was asked and the status, and in words the first things that should not be. */
export interface SoakCounts {
  readonly statuses: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly wrong: readonly string[];
}

const WRONG_LIMIT = 20;
/** Between two hostile requests, two scrapes and two moves of the movable model, and how slowly a slow reader reads. */
const HOSTILE_PAUSE_MS = 120;
const SCRAPE_PAUSE_MS = 1000;
const MOVE_PAUSE_MS = 4000;
const SLOW_READ_MS = 5000;
const WATCHERS = 3;
const SLOW_WATCHERS = 3;
/** How long a slow reader stays before another takes its place, and how long a cancelled request is let live at most. */
const SLOW_STAY_MS = 60_000;
const CANCEL_MS = 8;

const task = JSON.parse(process.argv[2]) as SoakTask;
const agent = new Agent({ keepAlive: true, noDelay: true });
const end = performance.now() + task.seconds * 1000;
const isRunning = () => performance.now() < end;
const statuses: Record<string, Record<string, number>> = {};
const wrong: string[] = [];

function count(what: string, status: number | string): void {
  statuses[what] ??= {};
  statuses[what][status] = (statuses[what][status] ?? 0) + 1;
}

function expectStatus(what: string, status: number | string, allowed: readonly (number | string)[]): void {
  count(what, status);
  if (!allowed.includes(status)) complain(`${what}: ${status}`);
}

function complain(text: string): void {
  if (wrong.length < WRONG_LIMIT) wrong.push(`${new Date().toISOString()} ${text}`);
}

/** The status of an answer that was read to its end, or the code of an error; `cancelMs`: broken off so soon. */
function ask(path: string, sent?: { headers: SoakRequest['headers']; body: Buffer; cancelMs?: number }) {
  return new Promise<number | string>((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    const headers = sent && { ...sent.headers, 'content-length': String(sent.body.length) };
    const options = { agent, method: sent ? 'POST' : 'GET', ...(headers ? { headers } : {}) };
    const message = request(task.url + path, options, (response) => {
      response.on('error', failed).on('end', () => resolve(response.statusCode!));
      response.resume();
    });
    message.on('error', failed);
    message.end(sent?.body);
    if (sent?.cancelMs !== undefined) setTimeout(() => message.destroy(), sent.cancelMs);
  });
}

async function infer({ model, headers, body: file, pauseMs, isCancelled }: SoakRequest): Promise<void> {
  const body = readFileSync(file);
  const allowed = model === task.movable ? [200, 404, 503] : [200];
  while (isRunning()) {
    const cancel = isCancelled ? { cancelMs: Math.random() * CANCEL_MS } : {};
    const status = await ask(`/v2/models/${model}/infer`, { headers, body, ...cancel });
    if (isCancelled) expectStatus(`${model}, cancelled`, status, [200, 'ECONNRESET']);
    else expectStatus(model, status, allowed);
    await delay(pauseMs * (0.5 + Math.random()));
  }
}

async function scrape(path: string): Promise<void> {
  for (; isRunning(); await delay(SCRAPE_PAUSE_MS)) expectStatus(path, await ask(path), [200]);
}

/** Sends rows of the tables of hostile requests, one connection each, and compares what comes of them. */
async function attack(): Promise<void> {
  const rows = [...HEAD_ROWS, ...FRAMING_ROWS, ...BODY_ROWS];
  for (let number = 0; isRunning(); number++) {
    await attackWith(rows[(number * 101) % rows.length]);
    await delay(HOSTILE_PAUSE_MS);
  }
}

async function attackWith({ name, bytes, status, after }: Row): Promise<void> {
  const connection = new RawConnection(task.url);
  try {
    connection.write(bytes);
    const answer = await connection.next(bytes.toString().startsWith('HEAD '));
    expectStatus('hostile', answer.status, [status]);
    if (answer.status !== status) complain(`${name}: ${answer.status} for ${status}`);
    if (after === 'closed') await connection.closed();
    else {
      connection.write(get('/v2/health/live'));
      expectStatus('health behind a hostile request', (await connection.next()).status, [200]);
    }
  } catch (error) {
    expectStatus('hostile', 'no answer', []);
    complain(`${name}: ${(error as Error).message}`);
  } finally {
    connection.destroy();
  }
}

async function watch(): Promise<void> {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), end - performance.now());
  const client = connect(task.url);
  for await (const _ of client.telemetry(stop.signal)) count('telemetry', 'frame');
  client.close();
  if (isRunning()) complain('telemetry: the stream ended');
}

/** Reads telemetry a piece at a time, far more slowly than it comes, and leaves without a word. */
async function watchSlowly(): Promise<void> {
  const { hostname, port } = new URL(task.url);
  while (isRunning()) {
    const socket = dial(Number(port), hostname);
    socket.on('error', () => {});
    socket.pause();
    socket.write(get('/v1/telemetry'));
    const leaveMs = Math.min(end, performance.now() + SLOW_STAY_MS);
    while (performance.now() < leaveMs && !socket.destroyed) {
      await delay(Math.min(SLOW_READ_MS, Math.max(1, leaveMs - performance.now())));
      count('slow telemetry', socket.read(1024) === null ? 'nothing to read' : 'piece');
    }
    socket.destroy();
  }
}

async function move(): Promise<void> {
  const supervisor = await connectSupervisor(await makeControlPath(Number(new URL(task.url).port)));
  let isLoaded = true;
  for (; isRunning(); await delay(MOVE_PAUSE_MS)) {
    const change = isLoaded ? 'unload' : 'load';
    const done = await supervisor[change](task.movable).then(
      () => 'done',
      (error: Error) => error.message,
    );
    expectStatus(change, done, ['done']);
    isLoaded = !isLoaded;
    await supervisor.list();
  }
  if (!isLoaded) await supervisor.load(task.movable);
  supervisor.close();
}

const times = (count: number, play: () => Promise<void>) => Array.from({ length: count }, play);
const ROLES: Readonly<Record<SoakRole, () => readonly Promise<void>[]>> = {
  clients: () => task.requests.flatMap((each) => times(each.clients, () => infer(each))),
  hostile: () => [attack()],
  watchers: () => [
    ...times(WATCHERS, watch),
    ...times(SLOW_WATCHERS, watchSlowly),
    ...['/metrics', '/v1/status', '/v2/health/ready'].map(scrape),
  ],
  owner: () => [move()],
};

async function main(): Promise<void> {
  await Promise.all(ROLES[task.role]());
  const counts: SoakCounts = { statuses, wrong };
  process.stdout.write(JSON.stringify(counts), () => process.exit());
}

void main();
