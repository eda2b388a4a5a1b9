import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
