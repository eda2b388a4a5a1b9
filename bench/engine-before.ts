import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { timeText } from '../lib/cli/text';
import type { openSession } from '../lib/engine/session';
import { firstSamples } from './models';
import { openNative } from './native';
import { chooseRepeat, ratioSpread, spreadOf, timeInterleaved } from './timing';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';

/** Part of the time that the other commit takes. */
const BARS = { median: 1.02, q3: 1.05 } as const;
const THREADS = [1, 2] as const;

/**
 * The engine beside that of another commit of Hone, whose built checkout HONE_BENCH_BEFORE names, on the same plans in one process;
 * outputs must be equal.
 */
export async function runEngineBefore({ models, pairs, say }: TrialContext): Promise<TrialOutcome> {
  const outcome = { records: [] as TrialRecord[], missed: [] as string[] };
  const table = [['model', 'threads', 'before', 'now', 'ratio', 'quartiles', 'of least', 'bar']];
  const before = process.env.HONE_BENCH_BEFORE;
  const module = join(resolve(before ?? '.'), 'dist/lib/engine/session.js');
  if (before === undefined || !existsSync(module)) {
    const why = before === undefined ? 'HONE_BENCH_BEFORE names no built checkout' : `${module} is missing`;
    return { ...outcome, table: [], skipped: [`engine-before: ${why}`] };
  }
  const old = require(module) as { readonly openSession: typeof openSession };
  for (const files of models.present) {
    const model = await models.load(files);
    const [sample] = await firstSamples(model, 1);
    for (const threads of THREADS) {
      say(`engine-before: ${files.label}, ${threads} thread(s)`);
      const duel = [openNative(model.plan, { threads }), openNative(model.plan, { threads, open: old.openSession })];
      try {
        for (const native of duel) native.feed(sample);
        const [found, expected] = duel.map((native) => native.infer());
        if (found.some((value, i) => !Object.is(value, expected[i]))) throw new Error(`${files.label}: outputs differ`);
        const subjects = duel.map(({ subject }) => subject);
        const repeat = await chooseRepeat(subjects);
        const options = { rounds: pairs, warmUp: Math.max(50, Math.ceil(pairs / 4)), repeat };
        const [now, then] = await timeInterleaved(subjects, options);
        const ratio = ratioSpread(now, then);
        const [nowUs, thenUs] = [spreadOf(now), spreadOf(then)];
        const ratioOfLeast = nowUs.least / thenUs.least;
        const met = ratio.median <= BARS.median && ratio.q3 <= BARS.q3;
        const fixed = ({ q1, median, q3 }: typeof ratio) => [q1, median, q3].map((value) => Number(value.toFixed(4)));
        outcome.records.push({
          model: files.label,
          threads,
          pairs,
          inferencesPerSample: repeat,
          nowUs: fixed(nowUs),
          beforeUs: fixed(thenUs),
          ratio: fixed(ratio),
          ratioOfLeast: Number(ratioOfLeast.toFixed(4)),
          bar: BARS,
        });
        table.push([
          files.label,
          String(threads),
          timeText(thenUs.median),
          timeText(nowUs.median),
          ratio.median.toFixed(3),
          `${ratio.q1.toFixed(3)}–${ratio.q3.toFixed(3)}`,
          ratioOfLeast.toFixed(3),
          met ? 'met' : 'missed',
        ]);
        if (!met)
          outcome.missed.push(
            `engine-before of ${files.label}, ${threads} thread(s): ${ratio.median.toFixed(3)} and ${ratio.q3.toFixed(3)}`,
          );
      } finally {
        for (const native of duel) native.close();
      }
    }
  }
  return { ...outcome, table, skipped: models.skipped };
}
