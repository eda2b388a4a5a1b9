import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../lib/client/client';
import type { AgentStatus } from '../../lib/protocol/agent-status';
import { jsonRequest, tinyPlan } from '../../test/agent/served';
import type { TrialContext, TrialOutcome } from '../trial';
import { slowPlan, slowRequest, trivialPlan, trivialRequest } from './networks';
import { runScript, ServedAgent } from './served';
import type { SoakCounts, SoakRequest, SoakRole, SoakTask } from './soak-process';

const SECONDS = 3600;
/** Parts of the whole time: what comes after warm-up, and the end. */
const FIRST = [1 / 6, 1 / 3] as const;
const LAST = [5 / 6, 1] as const;
const SAMPLES = 720;
/** Most growth of resident memory between the two, and most descriptors more, under load; without load, none. */
const GROWTH = 0.05;
const MORE_DESCRIPTORS = 2;
const QUIET_LIMIT_MS = 90_000;
const MOVABLE = 'large';
const ROLES: readonly SoakRole[] = ['clients', 'hostile', 'watchers', 'owner'];

/** Resident bytes and open descriptors of the processes of an agent, by what each does. */
interface Sample {
  /** Part of the whole time. */
  readonly part: number;
  readonly rssBytes: Readonly<Record<string, number>>;
  readonly descriptors: Readonly<Record<string, number>>;
}

/** An hour of everything that can be asked of an agent, a part of it hostile: whether it takes ever more, and whether it fails. */
export async function runSoak({ seconds = SECONDS, say }: TrialContext): Promise<TrialOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'hone-bench-soak-'));
  try {
    const plans = join(folder, 'plans');
    const requests = await prepareLoad(folder);
    await using agent = await ServedAgent.serve(plans, []);
    const { url } = agent;
    const task = { url, requests, movable: MOVABLE };
    const play = (playSeconds: number) => {
      const begin = (role: SoakRole) =>
        runScript<SoakCounts>('soak-process', { ...task, role, seconds: playSeconds } satisfies SoakTask);
      return Promise.all(ROLES.map(begin));
    };
    say('agent-soak: once through everything');
    await play(Math.min(20, seconds));
    const quietBefore = await quietDescriptors(agent.pid, url);
    const before = await statusOf(url);
    const samples: Sample[] = [];
    const begun = performance.now();
    const whole = play(seconds);
    let isOver = false;
    void whole.finally(() => {
      isOver = true;
    });
    while (!isOver && performance.now() - begun < seconds * 1000) {
      await delay((seconds * 1000) / SAMPLES);
      const part = (performance.now() - begun) / (seconds * 1000);
      samples.push(sampleOf(part, agent.pid, await statusOf(url)));
      if (samples.length % 60 === 0) say(`agent-soak: ${(part * 100).toFixed(0)} % of ${seconds} s`);
    }
    const counts = await whole;
    const quietAfter = await quietDescriptors(agent.pid, url, quietBefore);
    const after = await statusOf(url);
    return outcomeOf(seconds, samples, counts, { before: quietBefore, after: quietAfter }, restartsOf(before, after));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes plans and requests. */
async function prepareLoad(folder: string): Promise<readonly SoakRequest[]> {
  const plans = join(folder, 'plans');
  await mkdir(plans);
  const [slow, large] = [slowRequest(1), trivialRequest()];
  const files: Readonly<Record<string, Uint8Array | string>> = {
    'plans/tiny.plan': tinyPlan(),
    'plans/slow.plan': slowPlan(1),
    [`plans/${MOVABLE}.plan`]: trivialPlan(),
    'tiny.request': jsonRequest(),
    'slow.request': slow.body,
    'large.request': large.body,
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  const body = (name: string) => join(folder, `${name}.request`);
  return [
    { model: 'tiny', headers: {}, body: body('tiny'), clients: 4, pauseMs: 40 },
    { model: 'slow', headers: slow.headers, body: body('slow'), clients: 4, pauseMs: 80 },
    { model: 'slow', headers: slow.headers, body: body('slow'), clients: 1, pauseMs: 250, isCancelled: true },
    { model: MOVABLE, headers: large.headers, body: body('large'), clients: 1, pauseMs: 100 },
  ];
}

const statusOf = async (url: string) => {
  const client = connect(url);
  try {
    return await client.status();
  } finally {
    client.close();
  }
};

/** Numbers of processes by what they do; a worker that is not ready is left out. */
function processesOf(front: number, { models }: AgentStatus): Readonly<Record<string, number>> {
  const workers = models.flatMap(({ name, pid }) => (pid === null ? [] : [[`worker ${name}`, pid] as const]));
  return { front, ...Object.fromEntries(workers) };
}

function sampleOf(part: number, front: number, status: AgentStatus): Sample {
  const rssBytes: Record<string, number> = {};
  const descriptors: Record<string, number> = {};
  for (const [name, pid] of Object.entries(processesOf(front, status)))
    try {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8');
      rssBytes[name] = Number(/^VmRSS:\s+(\d+) kB/m.exec(text)![1]) * 1024;
      descriptors[name] = readdirSync(`/proc/${pid}/fd`).length;
    } catch {
      // Of a worker that has just been unloaded.
      delete rssBytes[name];
    }
  return { part, rssBytes, descriptors };
}

/** Descriptors once nobody is connected any more and all models are loaded; waits for `wanted`, but not for ever. */
async function quietDescriptors(front: number, url: string, wanted?: Readonly<Record<string, number>>) {
  const limit = performance.now() + QUIET_LIMIT_MS;
  for (;;) {
    const status = await statusOf(url);
    const { descriptors } = sampleOf(1, front, status);
    const isQuiet = status.connections <= 1 && status.models.every(({ pid }) => pid !== null);
    const isWanted = wanted === undefined || JSON.stringify(descriptors) === JSON.stringify(wanted);
    if ((isQuiet && isWanted) || performance.now() > limit) return descriptors;
    await delay(500);
  }
}

/** Restarts by model while the load lasted, and models that stayed whose process is another. */
function restartsOf(before: AgentStatus, after: AgentStatus): Readonly<Record<string, number>> {
  const found = after.models.map(({ name, restarts, pid }) => {
    const was = before.models.find((model) => model.name === name)!;
    return [name, name === MOVABLE ? restarts : restarts - was.restarts + Number(pid !== was.pid)] as const;
  });
  return Object.fromEntries(found);
}

function outcomeOf(
  seconds: number,
  samples: readonly Sample[],
  counts: readonly SoakCounts[],
  quiet: { readonly before: Readonly<Record<string, number>>; readonly after: Readonly<Record<string, number>> },
  restarts: Readonly<Record<string, number>>,
): TrialOutcome {
  const names = Object.keys(quiet.before);
  const [first, last] = [FIRST, LAST].map(([from, to]) => samples.filter(({ part }) => part >= from && part <= to));
  const meanOf = (window: readonly Sample[], pick: (sample: Sample) => number | undefined) =>
    mean(window.map(pick).filter((value) => value !== undefined));
  const sum = ({ rssBytes }: Sample) => {
    const all = names.map((name) => rssBytes[name]);
    return all.includes(undefined as never) ? undefined : all.reduce((a, b) => a + b, 0);
  };
  const compare = (pick: (sample: Sample) => number | undefined) => ({
    first: Math.round(meanOf(first, pick) * 10) / 10,
    last: Math.round(meanOf(last, pick) * 10) / 10,
  });
  const rss = {
    sum: compare(sum),
    ...Object.fromEntries(names.map((name) => [name, compare(({ rssBytes }) => rssBytes[name])])),
  };
  const descriptors = Object.fromEntries(
    names.map((name) => [name, compare((sample) => sample.descriptors[name])] as const),
  );
  const statuses = Object.assign({}, ...counts.map((each) => each.statuses)) as SoakCounts['statuses'];
  const requests = Object.entries(statuses).filter(([what]) => !/telemetry|load/.test(what));
  const answers = (filter: (what: string, status: string) => boolean) =>
    requests
      .flatMap(([what, found]) => Object.entries(found).filter(([status]) => filter(what, status)))
      .reduce((total, [, number]) => total + number, 0);
  const all = answers(() => true);
  const hostilePart = answers((what) => what === 'hostile') / all;
  const failed = answers((_, status) => status === '500');
  const wrong = counts.flatMap((each) => each.wrong);
  const growth = (pair: { first: number; last: number }) => pair.last / pair.first - 1;
  const missed = [
    ...Object.entries(rss)
      .filter(([, pair]) => !(growth(pair) <= GROWTH))
      .map(([name, pair]) => `resident memory of ${name} grew by ${(100 * growth(pair)).toFixed(1)} %`),
    ...Object.entries(descriptors)
      .filter(([, pair]) => !(Math.abs(pair.last - pair.first) <= MORE_DESCRIPTORS))
      .map(([name, pair]) => `descriptors of ${name} went from ${pair.first} to ${pair.last}`),
    ...names
      .filter((name) => quiet.before[name] !== quiet.after[name])
      .map((name) => `idle descriptors of ${name} went from ${quiet.before[name]} to ${quiet.after[name]}`),
    ...Object.entries(restarts)
      .filter(([, number]) => number > 0)
      .map(([name, number]) => `the worker of ${name} was started ${number} times again`),
    ...(failed > 0 ? [`${failed} answers of 500`] : []),
    ...wrong,
  ].map((text) => `agent-soak: ${text}`);
  const record = { seconds, requests: all, hostilePart, rss, descriptors, quiet, restarts, statuses, wrong };
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const table = [
    ['', 'resident after warm-up', 'at the end', 'descriptors', 'at the end', 'idle', 'idle at the end'],
    ...Object.entries(rss).map(([name, pair]) => [
      name,
      megabytes(pair.first),
      megabytes(pair.last),
      String(descriptors[name]?.first ?? ''),
      String(descriptors[name]?.last ?? ''),
      String(quiet.before[name] ?? ''),
      String(quiet.after[name] ?? ''),
    ]),
  ];
  return { records: [record], table, skipped: [], missed };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
