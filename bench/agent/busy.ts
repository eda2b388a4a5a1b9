import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../lib/client/client';
import { quantile } from '../../lib/telemetry/statistics';
import type { TrialContext, TrialOutcome } from '../trial';
import { LOAD_SECONDS, modelOf85Ms } from './calibrate';
import type { LoadSample, LoadTask } from './load-process';
import { slowRequest } from './networks';
import { runScript, ServedAgent, startServer } from './served';

const CLIENTS = 100;
const STALLED = 64;
const BURSTS = 3;
/** Bars: health beyond what an idle echo server beside it takes, refusals, in milliseconds; frames a second. */
const HEALTH_MS = 20;
const REFUSAL_MS = 50;
const FRAME_MS = 1000;
const FRAME_SPREAD = 0.1;

/** 100 clients on a model of 85 ms and 64 stalled uploads at once: health, telemetry, answers and refusals. */
export async function runBusyAgent({ say }: TrialContext): Promise<TrialOutcome> {
  say('agent-busy: looking for a model of 85 ms');
  const { plan, computeMs } = await modelOf85Ms();
  await using agent = await ServedAgent.start(plan, 'slow');
  const echo = await startServer('echo-process');
  try {
    const { headers, body } = slowRequest(1);
    const file = join(agent.folder, 'request');
    await writeFile(file, body);
    const infer = `${agent.url}/v2/models/slow/infer`;
    const load = (task: LoadTask) => runScript<LoadSample[]>('load-process', task);
    const probe = (url: string) => load({ url, seconds: LOAD_SECONDS, clients: 1, pauseMs: 10 });
    const { hostname: host, port } = new URL(agent.url);
    // All at once to the idle echo: what the generator and the machine take by themselves, as of the refusals below.
    const bursts = await load({
      ...{ url: echo.url, body: file, seconds: BURSTS, pauseMs: 1000, clients: CLIENTS, warmUp: echo.url },
    });
    say(`agent-busy: ${CLIENTS} clients for ${LOAD_SECONDS} s`);
    const [answers, health, echoes, frames] = await Promise.all([
      load({
        url: infer,
        body: file,
        headers,
        seconds: LOAD_SECONDS,
        clients: CLIENTS,
        warmUp: `${agent.url}/v2/health/live`,
      }),
      probe(`${agent.url}/v2/health/live`),
      probe(echo.url),
      frameTimes(agent.url, LOAD_SECONDS),
      runScript('stall-process', {
        host,
        port: Number(port),
        path: new URL(infer).pathname,
        count: STALLED,
        seconds: LOAD_SECONDS,
      }),
    ]);
    const of = (status: number) => answers.filter((sample) => sample.status === status).map(({ ms }) => ms);
    const [healthMs, echoMs] = [health, echoes].map((samples) => p99(samples.map(({ ms }) => ms)));
    const statuses = Object.fromEntries(
      [...new Set(answers.map(({ status }) => status))].map((status) => [
        status,
        answers.filter((sample) => sample.status === status).length,
      ]),
    );
    const worstFrame = Math.max(...frames.map((ms) => Math.abs(ms - FRAME_MS) / FRAME_MS));
    const record = {
      computeMs,
      clients: CLIENTS,
      stalled: STALLED,
      seconds: LOAD_SECONDS,
      statuses,
      answeredP99Ms: round(p99(of(200))),
      refusedP99Ms: round(p99(of(503))),
      echoBurstP99Ms: round(p99(bursts.map(({ ms }) => ms))),
      healthP99Ms: round(healthMs),
      echoP99Ms: round(echoMs),
      frames: frames.length,
      worstFrame: round(worstFrame),
    };
    const missed = [
      ...(healthMs > HEALTH_MS + echoMs ? [`health p99 ${round(healthMs)} ms, an idle echo ${round(echoMs)} ms`] : []),
      ...(p99(of(503)) > REFUSAL_MS ? [`refusals p99 ${round(p99(of(503)))} ms`] : []),
      ...(worstFrame > FRAME_SPREAD ? [`a telemetry frame ${round(100 * worstFrame)} % off its second`] : []),
      ...Object.keys(statuses)
        .filter((status) => status !== '200' && status !== '503')
        .map((status) => `${statuses[status]} answers ${status}`),
    ].map((text) => `agent-busy: ${text}`);
    const table = [
      ['answered', 'p99', 'refused', 'p99', 'burst of echoes', 'health p99', 'echo p99', 'frames', 'worst'],
      [
        String(statuses[200] ?? 0),
        `${record.answeredP99Ms} ms`,
        String(statuses[503] ?? 0),
        `${record.refusedP99Ms} ms`,
        `${record.echoBurstP99Ms} ms`,
        `${record.healthP99Ms} ms`,
        `${record.echoP99Ms} ms`,
        String(frames.length),
        `${round(100 * worstFrame)} %`,
      ],
    ];
    return { records: [record], table, skipped: [], missed };
  } finally {
    echo.stop();
  }
}

/** Milliseconds between telemetry frames as a client sees them. */
async function frameTimes(url: string, seconds: number): Promise<number[]> {
  const stop = new AbortController();
  void delay(seconds * 1000).then(() => stop.abort());
  const times: number[] = [];
  for await (const { windowMs } of connect(url).telemetry(stop.signal)) if (windowMs > 0) times.push(performance.now());
  return times.slice(1).map((time, index) => time - times[index]);
}

function p99(values: readonly number[]): number {
  return values.length === 0 ? 0 : quantile(Float64Array.from(values).sort(), 0.99);
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
