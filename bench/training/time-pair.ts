import type { Dataset } from '../../lib/ir/dataset';
import type { Graph } from '../../lib/ir/graph';
import { openNative } from '../native';
import { chooseRepeat, median, ratioSpread, timeInterleaved } from '../timing';
import { planOf } from './engine-accuracy';

/** Interleaved times of two networks on the native engine, one thread: medians, and the first over the second. */
export async function timePair(
  whole: Graph,
  pruned: Graph,
  test: Dataset,
  pairs: number,
): Promise<{ readonly ratio: number; readonly wholeUs: number; readonly prunedUs: number }> {
  const natives = [whole, pruned].map((graph) => openNative(planOf(graph)));
  for await (const { inputs } of test.batches({ size: 1 })) {
    for (const native of natives) native.feed(inputs);
    break;
  }
  const subjects = natives.map(({ subject }) => subject);
  const options = { rounds: pairs, warmUp: Math.max(50, Math.ceil(pairs / 4)), repeat: await chooseRepeat(subjects) };
  const [wholeUs, prunedUs] = await timeInterleaved(subjects, options);
  for (const native of natives) native.close();
  return { ratio: ratioSpread(wholeUs, prunedUs).median, wholeUs: median(wholeUs), prunedUs: median(prunedUs) };
}
