import { PROFILE_EVERY } from '../lib/agent/front/node-times';
import { percentText, timeText } from '../lib/cli/text';
import { openSession } from '../lib/engine/session';
import { bindFeeds, preparedCalls } from './shipped/calls';
import { chooseRepeat, median, ratioSpread, spreadOf, timeInterleaved } from './timing';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';

const WARM_UP = 20;
/** Networks that take longer run too rarely in the time there is. */
const LONGEST_US = 50_000;

/** A run whose nodes are timed, as the agent does it in production and at every run, ÷ one that is not. */
export async function runProfilingCost({ pairs, models, say, wants, keep }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const add = async (network: string, open: (profile: number) => () => void) => {
    say(`profiling-cost: ${network}`);
    const record = await measure(open, pairs);
    if (record === undefined) return;
    records.push({ network, ...record });
    await keep({ network, ...record });
  };
  for (const files of models.present.filter(({ label }) => wants(`${label}.int8`))) {
    const { plan } = await models.load(files);
    await add(`${files.label}.int8`, (profile) => {
      const session = openSession(plan, { profile });
      const arrays = (ports: typeof session.inputs) =>
        Object.fromEntries(ports.map(({ name, length }) => [name, new Float32Array(length)]));
      return session.bind(arrays(session.inputs), arrays(session.outputs));
    });
  }
  const { calls, skipped } = await preparedCalls(wants);
  for (const { name, plan, feeds } of calls)
    await add(name, (profile) => bindFeeds(openSession(plan, { profile }), feeds));
  const rows = records.map(({ network, plainUs, production, always }) => [
    String(network),
    timeText(Number(plainUs)),
    percentText(Number(production) - 1, 2),
    percentText(Number(always) - 1, 2),
  ]);
  return {
    records: [],
    table: [['network', 'p50', `every ${PROFILE_EVERY}th run`, 'every run'], ...rows],
    skipped: [...models.skipped, ...skipped],
    missed: records
      .filter(({ plainUs, production }) => Number(production) - 1 > (Number(plainUs) > 100 ? 0.01 : 0.02))
      .map(({ network, production }) => `${network}: profiling costs ${percentText(Number(production) - 1, 2)} of p50`),
  };
}

async function measure(open: (profile: number) => () => void, pairs: number) {
  const subjects = [0, PROFILE_EVERY, 1].map((profile) => ({ name: `profile ${profile}`, run: open(profile) }));
  for (let i = 0; i < 3; i++) subjects[0].run();
  const probe = await timeInterleaved([subjects[0]], { rounds: 3, warmUp: 1, repeat: 1 });
  if (median(probe[0]) > LONGEST_US) return undefined;
  // A sample holds whole periods, so that each has its share of timed runs.
  const repeat = Math.ceil((await chooseRepeat(subjects)) / PROFILE_EVERY) * PROFILE_EVERY;
  const rounds = Math.max(15, Math.min(pairs, Math.ceil(3e6 / (3 * repeat * median(probe[0])))));
  const [plain, production, always] = await timeInterleaved(subjects, { rounds, warmUp: WARM_UP, repeat });
  const ratio = (series: Float64Array) => Number(ratioSpread(series, plain).median.toFixed(4));
  const least = (series: Float64Array) => Number((spreadOf(series).least / spreadOf(plain).least).toFixed(4));
  return {
    rounds,
    repeat,
    plainUs: Math.round(spreadOf(plain).median * 10) / 10,
    production: ratio(production),
    productionOfLeast: least(production),
    always: ratio(always),
    alwaysOfLeast: least(always),
  };
}
