import { writeModel } from '../lib/onnx/write-model';
import type { BenchModel } from './models';
import { openRival, RIVAL_SETTINGS, type Rival, type RivalCall } from './rival';
import { RIVAL_FORMS } from './rival-forms';
import { chooseRepeat, timeInterleaved } from './timing';

/** Convolutions on floats in a graph that onnxruntime has optimised: the int8 model would not be int8 there. */
const FLOAT_CONVOLUTIONS: readonly string[] = ['Conv', 'FusedConv', 'NhwcFusedConv'];

/** The quickest way found to run a model in onnxruntime on integers. */
export interface ChosenRival {
  readonly rival: Rival;
  readonly call: RivalCall;
  /** What raced, and the least time of each in microseconds. */
  readonly raced: readonly { readonly name: string; readonly leastUs: number }[];
}

const RACE = { rounds: 150, warmUp: 30 };

/**
 * Races every form under every setting, then both ways to call the winner. The caller closes the winner.
 * @throws Error when the winner runs a convolution on floats
 */
export async function chooseRival(model: BenchModel): Promise<ChosenRival> {
  const rivals = await openAll(model);
  const subjects = rivals.map((rival) => rival.subject('outputs preallocated'));
  const repeat = Math.max(4, await chooseRepeat(subjects));
  const times = (await timeInterleaved(subjects, { ...RACE, repeat })).map(least);
  const best = times.indexOf(Math.min(...times));
  await Promise.all(rivals.filter((_, index) => index !== best).map((other) => other.close()));

  const rival = rivals[best];
  const float = rival.operators.filter((op) => FLOAT_CONVOLUTIONS.includes(op));
  if (float.length > 0) throw new Error(`${rival.name}: onnxruntime runs ${float.join(', ')} on floats`);

  const calls: readonly RivalCall[] = ['outputs preallocated', 'outputs fresh'];
  const both = calls.map((call) => rival.subject(call));
  const callTimes = (await timeInterleaved(both, { ...RACE, repeat })).map(least);
  const call = calls[callTimes.indexOf(Math.min(...callTimes))];
  return { rival, call, raced: rivals.map(({ name }, index) => ({ name, leastUs: round(times[index]) })) };
}

async function openAll({ quantized }: BenchModel): Promise<Rival[]> {
  const rivals: Rival[] = [];
  const written: Uint8Array[] = [];
  for (const { name, rewrite } of RIVAL_FORMS) {
    const graph = rewrite(quantized);
    const bytes = writeModel(graph);
    // Most models have no place for some forms, which then equal an earlier one.
    if (written.some((other) => Buffer.compare(other, bytes) === 0)) continue;
    written.push(bytes);
    for (const setting of RIVAL_SETTINGS) rivals.push(await openRival(`${name}; ${setting.name}`, graph, setting));
  }
  return rivals;
}

/** The race goes by the least time: what disturbs a run only ever adds to it. */
function least(us: Float64Array): number {
  return Math.min(...us);
}

/** Microseconds to two decimals, for result lines. */
export function round(us: number): number {
  return Number(us.toFixed(2));
}
