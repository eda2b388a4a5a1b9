import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import type { LoadSample } from './load-process';
import { slowPlan, slowRequest } from './networks';
import { runScript, ServedAgent } from './served';

/** Nodes of both models: some milliseconds each. */
const NODES = { a: 3, b: 5 } as const;
const SECONDS = 6;
const CLIENTS = 4;
/** Cores of the machine and of each run. */
const SETTINGS = [
  { cores: 1, threads: 1 },
  { cores: 2, threads: 1 },
  { cores: 2, threads: 2 },
] as const;
/** Least that both together do, each in parts of what it does alone. */
const BAR = 0.9;

/** What two models of one agent answer at once, in parts of what each answers alone: 1 is what they would do in turns. */
export async function runTwoModels({ say }: TrialContext): Promise<TrialOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'hone-bench-two-'));
  try {
    for (const [name, nodes] of Object.entries(NODES)) await writeFile(join(folder, `${name}.plan`), slowPlan(nodes));
    const { headers, body } = slowRequest(1);
    const request = join(folder, 'request');
    await writeFile(request, body);
    const records: TrialRecord[] = [];
    for (const { cores, threads } of SETTINGS) {
      say(`agent-two-models: ${cores} cores, ${threads} threads each`);
      const options = ['--cores', String(cores), '--threads', String(threads)];
      await using agent = await ServedAgent.serve(folder, options);
      const rate = async (name: string) => {
        const url = `${agent.url}/v2/models/${name}/infer`;
        const samples = await runScript<LoadSample[]>('load-process', {
          ...{ url, body: request, headers, seconds: SECONDS, clients: CLIENTS },
        });
        return samples.filter(({ status }) => status === 200).length / SECONDS;
      };
      const alone = { a: await rate('a'), b: await rate('b') };
      const [a, b] = await Promise.all([rate('a'), rate('b')]);
      records.push({ cores, threads, alone, together: { a, b }, ratio: a / alone.a + b / alone.b });
    }
    const ratioOf = (record: TrialRecord) => Number(record.ratio);
    const table = [
      ['cores', 'threads', 'both at once ÷ in turns', 'bar'],
      ...records.map((record) => [
        String(record.cores),
        String(record.threads),
        ratioOf(record).toFixed(2),
        `>= ${BAR}`,
      ]),
    ];
    const missed = records
      .filter((record) => ratioOf(record) < BAR)
      .map((record) => `agent-two-models: ${ratioOf(record).toFixed(2)} on ${record.cores} cores`);
    return { records, table, skipped: [], missed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
