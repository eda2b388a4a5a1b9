import { timeText } from '../lib/cli/text';
import type { Tensor } from '../lib/ir/tensor';
import { largest } from '../lib/telemetry/statistics';
import { chooseRival, round } from './choose-rival';
import { type BenchModel, firstSamples } from './models';
import { type Native, openNative } from './native';
import { openRival, RIVAL_SETTINGS, type Rival } from './rival';
import { chooseRepeat, median, ratioSpread, type Spread, spreadOf, timeInterleaved } from './timing';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';

/** Native time over the rival's: the project's bar for each model. */
const RATIO_BAR = 0.8;

const SAMPLES = 20;
/** Of `SAMPLES`: fewer classes in common mean that the two do not run the same network. */
const LEAST_AGREEING = 18;

/** Native engine against onnxruntime on int8, both called from JavaScript, one thread. */
export async function runLatency({ models, pairs, say }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const rows: string[][] = [
    ['model', 'hone', 'onnxruntime', 'ratio', 'quartiles', 'of least', 'bar', 'to its sync call', 'to its float model'],
  ];
  const missed: string[] = [];
  for (const files of models.present) {
    say(`latency: ${files.label}`);
    const model = await models.load(files);
    const { record, ratio, row } = await measure(model, pairs);
    records.push(record);
    rows.push(row);
    if (ratio > RATIO_BAR) missed.push(`latency of ${files.label}: ratio ${ratio.toFixed(3)} > ${RATIO_BAR}`);
  }
  return { records, table: rows, skipped: models.skipped, missed };
}

interface Measurement {
  readonly record: TrialRecord;
  readonly ratio: number;
  readonly row: string[];
}

async function measure(model: BenchModel, pairs: number): Promise<Measurement> {
  const samples = await firstSamples(model, SAMPLES);
  const native = openNative(model.plan);
  const { rival, call, raced } = await chooseRival(model);
  const float = await openRival('float model', model.floatGraph, RIVAL_SETTINGS[0]);
  try {
    const agreeing = await countAgreeing(native, rival, samples);
    if (agreeing < LEAST_AGREEING)
      throw new Error(`${model.label}: only ${agreeing} of ${samples.length} classes agree`);
    for (const target of [native, rival, float]) target.feed(samples[0]);

    const duel = [native.subject, rival.subject(call)];
    const repeat = await chooseRepeat(duel);
    const options = { rounds: pairs, warmUp: Math.max(50, Math.ceil(pairs / 4)), repeat };
    const [nativeUs, rivalUs] = await timeInterleaved(duel, options);
    const ratio = ratioSpread(nativeUs, rivalUs);
    // For reading, not for the bar: the rival without its promise and event loop, and on the float model.
    const others = await timeInterleaved([native.subject, rival.direct(), float.subject(call)], options);
    const [directRatio, floatRatio] = [1, 2].map((index) => ratioSpread(others[0], others[index]).median);
    const [nativeSpread, rivalSpread] = [spreadOf(nativeUs), spreadOf(rivalUs)];
    const ratioOfLeast = nativeSpread.least / rivalSpread.least;
    return {
      ratio: ratio.median,
      row: [
        model.label,
        timeText(nativeSpread.median),
        timeText(rivalSpread.median),
        ratio.median.toFixed(3),
        `${ratio.q1.toFixed(3)}–${ratio.q3.toFixed(3)}`,
        ratioOfLeast.toFixed(3),
        `${RATIO_BAR}${ratio.median <= RATIO_BAR ? '' : ' missed'}`,
        directRatio.toFixed(3),
        floatRatio.toFixed(3),
      ],
      record: {
        model: model.float.path.split(/[\\/]/).pop(),
        threads: 1,
        pairs,
        inferencesPerSample: repeat,
        nativeUs: rounded(nativeSpread),
        rivalUs: rounded(rivalSpread),
        ratio: quartiles(ratio),
        ratioOfLeast: Number(ratioOfLeast.toFixed(4)),
        bar: RATIO_BAR,
        rival: { name: rival.name, call, operators: rival.operators.join(' ') },
        rivalSynchronous: { us: round(median(others[1])), ratio: Number(directRatio.toFixed(4)) },
        rivalFloat: { us: round(median(others[2])), ratio: Number(floatRatio.toFixed(4)) },
        agreeing: `${agreeing}/${samples.length}`,
        raced,
      },
    };
  } finally {
    native.close();
    await rival.close();
    await float.close();
  }
}

/** Samples for which both name the same class. */
async function countAgreeing(native: Native, rival: Rival, samples: readonly ReadonlyMap<string, Tensor>[]) {
  let agreeing = 0;
  for (const sample of samples) {
    native.feed(sample);
    rival.feed(sample);
    if (largest(native.infer()) === largest(await rival.infer())) agreeing++;
  }
  return agreeing;
}

function rounded({ least, q1, median: middle, q3 }: Spread): Spread {
  return { least: round(least), q1: round(q1), median: round(middle), q3: round(q3) };
}

/** Of ratios the least says nothing: it is the pair whose rival was interrupted longest. */
function quartiles({ q1, median: middle, q3 }: Spread): Omit<Spread, 'least'> {
  const short = (ratio: number): number => Number(ratio.toFixed(4));
  return { q1: short(q1), median: short(middle), q3: short(q3) };
}
