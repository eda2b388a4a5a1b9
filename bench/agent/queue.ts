import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../lib/client/client';
import { quantile } from '../../lib/telemetry/statistics';
import { median } from '../timing';
import type { TrialContext, TrialOutcome } from '../trial';
import { LOAD_SECONDS, modelOf85Ms } from './calibrate';
import type { LoadSample, LoadTask } from './load-process';
import { slowRequest } from './networks';
import { runScript, ServedAgent } from './served';

/** Part of what the model can answer that arrives. */
const LOAD = 1.2;
/** How far the queue that the agent tells may lie from the one that clients see: a part of it, and milliseconds. */
const PART = 0.05;
const FIXED_MS = 5;

/** Queue times that an agent tells beside those that clients see, more requests arriving than it can answer. */
export async function runQueueTimes({ say }: TrialContext): Promise<TrialOutcome> {
  const { plan } = await modelOf85Ms();
  await using agent = await ServedAgent.start(plan, 'slow');
  const { headers, body } = slowRequest(1);
  const file = join(agent.folder, 'request');
  await writeFile(file, body);
  const load = (task: Partial<LoadTask>) =>
    runScript<LoadSample[]>('load-process', { url: `${agent.url}/v2/models/slow/infer`, body: file, headers, ...task });
  say('agent-queue: one client alone');
  const alone = await told(agent.url, () => load({ seconds: 5, clients: 1 }));
  const serviceMs = median(alone.told.map(({ computeUs }) => computeUs / 1000));
  const overheadMs = median(alone.samples.map(({ ms, computeMs = 0 }) => ms - computeMs));
  say(`agent-queue: ${LOAD} of what it can answer for ${LOAD_SECONDS} s`);
  const busy = await told(agent.url, () =>
    load({ seconds: LOAD_SECONDS, perSecond: (LOAD * 1000) / (serviceMs + overheadMs) }),
  );
  const answered = busy.samples.filter(({ status }) => status === 200);
  const figures = [0.5, 0.99].map((fraction) => {
    const seenMs = quantile(
      answered.map(({ ms, computeMs = 0 }) => ms - computeMs - overheadMs),
      fraction,
    );
    const toldMs = quantile(
      busy.told.map(({ queueUs }) => queueUs / 1000),
      fraction,
    );
    return { fraction, seenMs, toldMs, isClose: Math.abs(toldMs - seenMs) <= PART * seenMs + FIXED_MS };
  });
  const record = {
    load: LOAD,
    seconds: LOAD_SECONDS,
    computeMs: serviceMs,
    overheadMs,
    answered: answered.length,
    refused: busy.samples.length - answered.length,
    told: busy.told.length,
    ...Object.fromEntries(figures.map(({ fraction, seenMs, toldMs }) => [`p${100 * fraction}`, { seenMs, toldMs }])),
  };
  const text = (ms: number) => `${ms.toFixed(1)} ms`;
  const table = [
    ['', 'clients', 'agent'],
    ...figures.map(({ fraction, seenMs, toldMs }) => [`p${100 * fraction}`, text(seenMs), text(toldMs)]),
  ];
  const missed = figures
    .filter(({ isClose }) => !isClose)
    .map(
      ({ fraction, seenMs, toldMs }) =>
        `agent-queue: p${100 * fraction} is ${text(toldMs)} where clients see ${text(seenMs)}`,
    );
  return { records: [record], table, skipped: [], missed };
}

interface Told {
  readonly samples: readonly LoadSample[];
  /** Every inference that telemetry named meanwhile. */
  readonly told: readonly { readonly queueUs: number; readonly computeUs: number }[];
}

async function told(url: string, work: () => Promise<LoadSample[]>): Promise<Told> {
  const stop = new AbortController();
  const found: { queueUs: number; computeUs: number }[] = [];
  const reading = (async () => {
    for await (const { recent } of connect(url).telemetry(stop.signal)) found.push(...recent);
  })();
  // A first frame tells of what was before.
  await delay(1500);
  found.length = 0;
  const samples = await work();
  await delay(1500);
  stop.abort();
  await reading;
  return { samples, told: found };
}
