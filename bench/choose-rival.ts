import type { BenchModel } from './models';
import { openRival, RIVAL_SETTINGS, type Rival, type RivalCall } from './rival';
import { RIVAL_FORMS } from './rival-forms';
import { chooseRepeat, median, timeInterleaved } from './timing';

/** Convolutions on floats in a graph that onnxruntime has optimised: the int8 model would not be int8 there. */
export const FLOAT_CONVOLUTIONS: readonly string[] = ['Conv', 'FusedConv', 'NhwcFusedConv'];

/** The quickest way found to run a model in onnxruntime on integers. */
export interface ChosenRival {
  readonly rival: Rival;
  readonly call: RivalCall;
  /** What raced, and the median of each in microseconds. */
  readonly raced: readonly { readonly name: string; readonly medianUs: number }[];
}

const RACE = { rounds: 100, warmUp: 30 };

/**
 * Races every form under every setting, then both ways to call the winner. The caller closes the winner.
 * @throws Error when the winner runs a convolution on floats
 */
export async function chooseRival(model: BenchModel): Promise<ChosenRival> {
  const rivals = await openAll(model);
  const subjects = rivals.map((rival) => rival.subject('outputs preallocated'));
  const repeat = Math.max(4, await chooseRepeat(subjects));
  const medians = (await timeInterleaved(subjects, { ...RACE, repeat })).map(median);
  const best = medians.indexOf(Math.min(...medians));
  await Promise.all(rivals.filter((_, index) => index !== best).map((other) => other.close()));

  const rival = rivals[best];
  const float = rival.operators.filter((op) => FLOAT_CONVOLUTIONS.includes(op));
  if (float.length > 0) throw new Error(`${rival.name}: onnxruntime runs ${float.join(', ')} on floats`);

  const calls: readonly RivalCall[] = ['outputs preallocated', 'outputs fresh'];
  const both = calls.map((call) => rival.subject(call));
  const callMedians = (await timeInterleaved(both, { ...RACE, repeat })).map(median);
  const call = calls[callMedians.indexOf(Math.min(...callMedians))];
  return { rival, call, raced: rivals.map(({ name }, index) => ({ name, medianUs: round(medians[index]) })) };
}

async function openAll({ quantized }: BenchModel): Promise<Rival[]> {
  const rivals: Rival[] = [];
  for (const form of RIVAL_FORMS) {
    const graph = form.rewrite(quantized);
    if (graph === quantized && form.name !== 'as written') continue;
    for (const setting of RIVAL_SETTINGS) rivals.push(await openRival(`${form.name}; ${setting.name}`, graph, setting));
  }
  return rivals;
}

/** Microseconds to two decimals, for result lines. */
export function round(us: number): number {
  return Number(us.toFixed(2));
}
