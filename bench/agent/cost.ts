import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesText } from '../../lib/cli/text';
import { median } from '../timing';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { computeMsOf } from './calibrate';
import type { LoadSample } from './load-process';
import { trivialPlan, trivialRequest } from './networks';
import { runScript, ServedAgent, startServer } from './served';

/** Rounds in which both are asked in turns, and how long each. */
const ROUNDS = 7;
const SECONDS = 2;
const CLIENTS = 8;
/** Bars: median time beyond the engine in times of a bare echo; part of the echo's rate. */
const TIME_BAR = 3;
const RATE_BAR = 0.45;

/** What a request of 150 kB costs beside a bare `node:http` server that answers with the same bytes. */
export async function runRequestCost({ say }: TrialContext): Promise<TrialOutcome> {
  const plan = trivialPlan();
  const computeMs = computeMsOf(plan);
  await using agent = await ServedAgent.start(plan, 'trivial');
  const echo = await startServer('echo-process');
  try {
    const { headers, body } = trivialRequest();
    const file = join(agent.folder, 'request');
    await writeFile(file, body);
    const ask = async (url: string, clients: number, seconds = SECONDS) => {
      const samples = await runScript<LoadSample[]>('load-process', { url, body: file, headers, seconds, clients });
      const answered = samples.filter(({ status }) => status === 200);
      if (answered.length < samples.length)
        throw new Error(`agent-cost: ${samples.length - answered.length} were not answered`);
      return { p50Ms: median(answered.map(({ ms }) => ms)), perSecond: answered.length / seconds };
    };
    const urls = { hone: `${agent.url}/v2/models/trivial/infer`, echo: echo.url };
    for (const url of Object.values(urls)) await ask(url, CLIENTS);
    const records: TrialRecord[] = [];
    const ratios: Record<'time' | 'rate', number[]> = { time: [], rate: [] };
    for (let round = 0; round < ROUNDS; round++) {
      say(`agent-cost: round ${round + 1} of ${ROUNDS}`);
      const order = round % 2 === 0 ? (['hone', 'echo'] as const) : (['echo', 'hone'] as const);
      const found: Record<string, { readonly alone: Measured; readonly many: Measured }> = {};
      for (const name of order) found[name] = { alone: await ask(urls[name], 1), many: await ask(urls[name], CLIENTS) };
      ratios.time.push((found.hone.alone.p50Ms - computeMs) / found.echo.alone.p50Ms);
      ratios.rate.push(found.hone.many.perSecond / found.echo.many.perSecond);
      records.push({ round, computeMs, bodyBytes: body.length, clients: CLIENTS, hone: found.hone, echo: found.echo });
    }
    const [time, rate] = [median(ratios.time), median(ratios.rate)];
    const missed = [
      ...(time > TIME_BAR ? [`agent-cost: p50 is the engine and ${time.toFixed(2)} times an echo`] : []),
      ...(rate < RATE_BAR ? [`agent-cost: ${rate.toFixed(2)} of the rate of an echo`] : []),
    ];
    const table = [
      ['', 'median', 'bar'],
      ['(p50 - engine) / p50 of the echo, 1 client', time.toFixed(2), `<= ${TIME_BAR}`],
      [`requests/s, part of the echo's, ${CLIENTS} clients`, rate.toFixed(2), `>= ${RATE_BAR}`],
    ];
    return { records, table, skipped: [], missed };
  } finally {
    echo.stop();
  }
}

interface Measured {
  readonly p50Ms: number;
  readonly perSecond: number;
}

/** Most bytes of all processes in a plain folder. */
const MEMORY_BAR = 100 * 1e6;
const REQUESTS = 1000;

/** Proportional set size of all processes of an agent that serves mnist-8, after some requests. */
export async function runAgentMemory({ models, say }: TrialContext): Promise<TrialOutcome> {
  const files = models.present.find(({ label }) => label === 'mnist-8');
  if (files === undefined) return { records: [], table: [], skipped: models.skipped, missed: [] };
  say('agent-memory: mnist-8');
  const { plan } = await models.load(files);
  await using agent = await ServedAgent.start(plan, 'mnist');
  const idleBytes = agent.pssBytes;
  const shape = [1, 1, 28, 28];
  const { inputs } = (await (await fetch(`${agent.url}/v2/models/mnist`)).json()) as { inputs: { name: string }[] };
  const json = JSON.stringify({ inputs: [{ ...inputs[0], shape, data: new Array(784).fill(0) }] });
  for (let request = 0; request < REQUESTS; request++) {
    const answer = await fetch(`${agent.url}/v2/models/mnist/infer`, { method: 'POST', body: json });
    if (!answer.ok) throw new Error(await answer.text());
    await answer.arrayBuffer();
  }
  const servedBytes = agent.pssBytes;
  const table = [
    ['idle', `after ${REQUESTS} requests`, 'bar'],
    [bytesText(idleBytes), bytesText(servedBytes), `<= ${bytesText(MEMORY_BAR)}`],
  ];
  const missed = servedBytes > MEMORY_BAR ? [`agent-memory: ${bytesText(servedBytes)}`] : [];
  return {
    records: [{ model: 'mnist-8', install: 'plain folder', requests: REQUESTS, idleBytes, servedBytes }],
    table,
    skipped: [],
    missed,
  };
}
