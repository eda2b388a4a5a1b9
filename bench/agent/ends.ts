import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentStatus } from '../../lib/protocol/agent-status';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import type { LoadSample, LoadTask } from './load-process';
import { slowPlan, slowRequest } from './networks';
import { runScript, ServedAgent } from './served';
import { WORKER_ENDS } from './worker-ends';

const AGENT_ENDS = ['SIGTERM', 'SIGINT'] as const;
/** To run some of them alone; ends of workers have names of their own. */
export const END_PARTS = [...AGENT_ENDS, ...Object.keys(WORKER_ENDS)];
const TRIALS = 20;
const CLIENTS = 16;
/** Nodes of the model: some milliseconds. */
const NODES = 5;
/** A request counts as sent before the signal when it was sent so much earlier, in milliseconds: the clocks are of two processes. */
const BEFORE_MS = 2;
/** How long there is load before anything happens, in milliseconds. */
const BEGIN_MS = 1000;
/** How soon the next request must be answered after a worker died, in milliseconds. */
const NEXT_MS = 1000;

/** What becomes of requests when an agent is told to stop under load, and when its worker dies. */
export async function runAgentEnds({ say, wants, keep }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const missed: string[] = [];
  const add = async (record: TrialRecord) => {
    records.push(record);
    await keep(record);
  };
  for (const signal of AGENT_ENDS.filter(wants)) {
    let [answered, refused, lost] = [0, 0, 0];
    for (let trial = 0; trial < TRIALS; trial++) {
      say(`agent-ends: ${signal}, ${trial + 1} of ${TRIALS}`);
      const { samples, atMs } = await underLoad(2, async (agent) => void (await agent.end(signal)));
      const before = samples.filter(({ sentMs }) => sentMs < atMs - BEFORE_MS);
      const late = before.filter(({ sentMs, ms }) => sentMs + ms >= atMs - BEFORE_MS);
      answered += late.filter(({ status }) => status === 200).length;
      refused += late.filter(({ status }) => typeof status === 'number' && status !== 200).length;
      lost += before.filter(({ status }) => typeof status === 'string').length;
    }
    await add({ signal, to: 'agent', trials: TRIALS, clients: CLIENTS, answered, refused, lost });
    if (lost > 0) missed.push(`agent-ends: ${signal} lost ${lost} requests that were sent before`);
  }
  const skipped: string[] = [];
  for (const [how, end] of Object.entries(WORKER_ENDS).filter(([name]) => wants(name))) {
    const prevented = end.prevented?.();
    if (prevented !== undefined) {
      skipped.push(`agent-ends: ${how}: ${prevented}`);
      continue;
    }
    let [failed, lost, slowest] = [0, 0, 0];
    const reasons = new Set<string>();
    await using agent = await ServedAgent.start(slowPlan(end.nodes), 'slow', end.makeGroup?.());
    for (let trial = 0; trial < TRIALS; trial++) {
      say(`agent-ends: ${how} to the worker, ${trial + 1} of ${TRIALS}`);
      const { samples, atMs } = await underLoad(end.seconds, async () => end.end(agent), agent);
      const next = samples.filter(({ status, sentMs, ms }) => status === 200 && sentMs + ms > atMs + BEFORE_MS);
      slowest = Math.max(slowest, Math.min(...next.map(({ sentMs, ms }) => sentMs + ms - atMs)));
      failed += samples.filter(({ status }) => typeof status === 'number' && status !== 200).length;
      lost += samples.filter(({ status }) => typeof status === 'string').length;
      const { models } = await statusOf(agent);
      reasons.add(models[0].reason ?? 'none ended');
    }
    const told = [...reasons].join('; ');
    await add({
      ...{ signal: how, to: 'worker', trials: TRIALS, clients: CLIENTS, failed, lost },
      told,
      slowestNextMs: slowest,
    });
    const missing = (what: string) => missed.push(`agent-ends: ${how} of the worker ${what}`);
    if (lost > 0) missing(`lost ${lost} requests`);
    if (failed > TRIALS) missing(`failed ${failed} requests, more than it ran`);
    if (slowest > NEXT_MS) missing(`was followed by an answer after ${slowest.toFixed(0)} ms`);
    if (![...reasons].every((reason) => end.reason.test(reason))) missing(`was told as: ${told}`);
  }
  const table = [
    ['signal', 'to', 'answered', 'refused', 'lost', 'next answer'],
    ...records.map(({ signal, to, answered, refused, failed, lost, slowestNextMs }) => [
      String(signal),
      String(to),
      String(answered ?? ''),
      String(refused ?? failed),
      String(lost),
      slowestNextMs === undefined ? '' : `<= ${Number(slowestNextMs).toFixed(0)} ms`,
    ]),
  ];
  return { records: [], table, skipped, missed };
}

async function statusOf({ url }: ServedAgent): Promise<AgentStatus> {
  return (await (await fetch(`${url}/v1/status`)).json()) as AgentStatus;
}

/** Load for some seconds, in the first half of which something happens; when, in milliseconds since 1970: as it says, or when it began. */
async function underLoad(
  seconds: number,
  happen: (agent: ServedAgent) => Promise<number | undefined>,
  given?: ServedAgent,
): Promise<{ readonly samples: readonly LoadSample[]; readonly atMs: number }> {
  const agent = given ?? (await ServedAgent.start(slowPlan(NODES), 'slow'));
  const { headers, body } = slowRequest(1);
  const file = join(agent.folder, 'request');
  await writeFile(file, body);
  const task: LoadTask = {
    url: `${agent.url}/v2/models/slow/infer`,
    body: file,
    headers,
    seconds,
    clients: CLIENTS,
    pauseMs: 1,
  };
  const load = runScript<LoadSample[]>('load-process', task);
  while ((await statusOf(agent)).connections < CLIENTS) await delay(10);
  await delay(BEGIN_MS);
  const begunMs = Date.now();
  const happened = happen(agent);
  const samples = await load;
  return { samples, atMs: (await happened) ?? begunMs };
}
