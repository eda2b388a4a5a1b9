import { setTimeout as delay } from 'node:timers/promises';
import { bytesText } from '../../lib/cli/text';
import { PlayedSystem } from '../../test/agent/system/play-systemd';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { pssOf, ServedAgent } from './served';

/** Most bytes of all processes, by the way of the install. */
const BARS = { 'plain folder': 100e6, system: 110e6 } as const;
const REQUESTS = 1000;

/** Proportional set size of all processes of an agent that serves mnist-8, after some requests, as it is installed in both ways. */
export async function runAgentMemory({ models, say }: TrialContext): Promise<TrialOutcome> {
  const files = models.present.find(({ label }) => label === 'mnist-8');
  if (files === undefined) return { records: [], table: [], skipped: models.skipped, missed: [] };
  const { plan } = await models.load(files);
  const records: TrialRecord[] = [];
  const table = [['install', 'processes', 'idle', `after ${REQUESTS} requests`, 'bar']];
  const missed: string[] = [];
  for (const [install, measure] of [
    ['plain folder', measurePlain],
    ['system', measureSystem],
  ] as const) {
    say(`agent-memory: mnist-8, ${install}`);
    const { processes, idleBytes, servedBytes } = await measure(plan);
    records.push({ model: 'mnist-8', install, processes, requests: REQUESTS, idleBytes, servedBytes });
    const bar = BARS[install];
    table.push([install, String(processes), bytesText(idleBytes), bytesText(servedBytes), `<= ${bytesText(bar)}`]);
    if (servedBytes > bar) missed.push(`agent-memory: ${install}: ${bytesText(servedBytes)}`);
  }
  return { records, table, skipped: [], missed };
}

interface Measured {
  readonly processes: number;
  readonly idleBytes: number;
  readonly servedBytes: number;
}

/** Supervisor and front are one process. */
async function measurePlain(plan: Uint8Array): Promise<Measured> {
  await using agent = await ServedAgent.start(plan, 'mnist');
  return await measure(agent.url, () => [agent.pid, ...agent.workers]);
}

/** Processes as the units of systemd start them; the supervisor has ended, as it does after 30 s without a question. */
async function measureSystem(plan: Uint8Array): Promise<Measured> {
  const system = new PlayedSystem();
  try {
    system.catalogue({ 'mnist.plan': plan }, [{ name: 'mnist', version: '1', plan: 'mnist.plan', loaded: true }]);
    await system.listen();
    await system.startFront();
    await system.recover();
    while (!(await fetch(`${system.url}/v2/models/mnist/ready`)).ok) await delay(20);
    await Promise.all(
      system.supervisors.map((child) => child.exitCode ?? new Promise((end) => child.once('exit', end))),
    );
    return await measure(system.url, () => [system.front!.pid!, system.worker(0).pid!]);
  } finally {
    await system.close();
  }
}

async function measure(url: string, pids: () => readonly number[]): Promise<Measured> {
  const pss = () => pids().reduce((sum, pid) => sum + pssOf(pid), 0);
  const { inputs } = (await (await fetch(`${url}/v2/models/mnist`)).json()) as { inputs: { name: string }[] };
  const idleBytes = pss();
  const json = JSON.stringify({ inputs: [{ ...inputs[0], shape: [1, 1, 28, 28], data: new Array(784).fill(0) }] });
  for (let request = 0; request < REQUESTS; request++) {
    const answer = await fetch(`${url}/v2/models/mnist/infer`, { method: 'POST', body: json });
    if (!answer.ok) throw new Error(await answer.text());
    await answer.arrayBuffer();
  }
  return { processes: pids().length, idleBytes, servedBytes: pss() };
}
