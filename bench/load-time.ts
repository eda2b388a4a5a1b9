import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { bytesText, timeText } from '../lib/cli/text';
import { preparedCalls } from './shipped/calls';
import { ratioSpread, spreadOf } from './timing';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';

/** Pairs of fresh processes per plan; the median counts. */
const PROCESSES = 11;
/** From so many bytes on a plan is held to the bar: below, what a process does first is most of opening. */
const LARGE_BYTES = 2 ** 20;
const MOST_RATIO = 0.3;
/** A file that has not changed for so long is not looked through again (docs/formats.md). */
const REST_MS = 3500;

interface PlanFile {
  readonly network: string;
  readonly path: string;
  readonly planBytes: number;
}

/** Opening a plan whose packed weights lie in the cache ÷ opening and packing it, each in fresh processes that take turns. */
export async function runLoadTime({ models, say, wants, keep: write }: TrialContext): Promise<TrialOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'hone-bench-'));
  const records: TrialRecord[] = [];
  try {
    const plans: PlanFile[] = [];
    const keep = async (network: string, plan: Uint8Array) => {
      const path = join(folder, `${plans.length}.hone`);
      await writeFile(path, plan);
      plans.push({ network, path, planBytes: plan.length });
    };
    for (const files of models.present.filter(({ label }) => wants(`${label}.int8`)))
      await keep(`${files.label}.int8`, (await models.load(files)).plan);
    const { calls, skipped } = await preparedCalls(wants);
    for (const { name, plan } of calls) if (plan.length >= LARGE_BYTES) await keep(name, plan);
    await setTimeout(REST_MS);
    for (const { network, path, planBytes } of plans) {
      say(`load-time: ${network}`);
      const record = { network, planBytes, ...measure(path, join(folder, 'cache')) };
      records.push(record);
      await write(record);
    }
    const rows = records.map(({ network, planBytes, packingUs, cachedUs, ratio }) => [
      String(network),
      bytesText(Number(planBytes)),
      timeText(Number(packingUs)),
      timeText(Number(cachedUs)),
      Number(ratio).toFixed(3),
    ]);
    const isMissed = (record: TrialRecord) =>
      Number(record.planBytes) >= LARGE_BYTES && Number(record.ratio) > MOST_RATIO;
    return {
      records: [],
      table: [['network', 'plan', 'opening and packing', 'from the cache', 'ratio'], ...rows],
      skipped: [...models.skipped, ...skipped],
      missed: records
        .filter(isMissed)
        .map(({ network, ratio }) => `${network}: opening from the cache takes ${ratio} of packing`),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function measure(path: string, cache: string) {
  // The first writes the file, the second finds it warm.
  for (let i = 0; i < 2; i++) open(path, cache);
  const [packing, cached] = [new Float64Array(PROCESSES), new Float64Array(PROCESSES)];
  for (let i = 0; i < PROCESSES; i++) {
    const one = () => {
      packing[i] = open(path, '');
    };
    const other = () => {
      cached[i] = open(path, cache);
    };
    for (const run of i % 2 === 0 ? [one, other] : [other, one]) run();
  }
  const [a, b] = [spreadOf(packing), spreadOf(cached)];
  return {
    processes: PROCESSES,
    packingUs: Math.round(a.median),
    cachedUs: Math.round(b.median),
    ratio: Number(ratioSpread(cached, packing).median.toFixed(3)),
    ratioOfLeast: Number((b.least / a.least).toFixed(3)),
  };
}

/** Microseconds that opening takes in a process of its own. */
function open(path: string, cache: string): number {
  return Number(execFileSync(process.execPath, [require.resolve('./load-process'), path, cache], { encoding: 'utf8' }));
}
