import { UINT8_LIMIT } from './affine';
import type { SampleExtent } from './histogram';

/** How far all that an outlying sample's extreme stands out reaches beyond the extremes of all others. */
const GAP = 4;
/** Largest share of the samples that can be outlying; one sample always can. */
const MAX_SHARE = 1 / 16;
/** Squared error, as a share of a sample's power, at which a sample counts as half lost (20 dB). */
const HALF_LOST = 0.01;
/** What a lost outlying sample counts beside the others. */
const OUTLYING_WEIGHT = 4;

/**
 * Indices of the few samples whose extremes lie so far out that codes for them would leave little of all others; rising, mostly
 * none. A sample counts as lost by `r^2 / (r^2 + 0.01^2)`, r being the squared error of its codes as a share of its power. Samples
 * are given up, the farthest first, where the rest then loses less than before by more than the lost ones count. What lies far out in
 * many samples is no outlier: it matters to all of them.
 */
export function outlyingSamples(samples: readonly SampleExtent[]): readonly number[] {
  const order = [...samples.keys()].filter((index) => samples[index].power > 0).sort((a, b) => reach(b) - reach(a));
  function reach(index: number): number {
    return Math.max(-samples[index].low, samples[index].high);
  }
  // Range of all samples from each place of the order on.
  const tails = new Array<{ readonly low: number; readonly high: number }>(order.length);
  let [low, high] = [0, 0];
  for (let at = order.length - 1; at >= 0; at--) {
    low = Math.min(low, samples[order[at]].low);
    high = Math.max(high, samples[order[at]].high);
    tails[at] = { low, high };
  }
  const most = Math.max(1, Math.floor(samples.length * MAX_SHARE));
  let [best, bestLoss] = [0, Number.POSITIVE_INFINITY];
  for (let given = 0; given <= Math.min(most, order.length - 1); given++) {
    if (given > 0 && reach(order[given - 1]) < GAP * reach(order[given])) continue;
    const step = (tails[given].high - tails[given].low) / UINT8_LIMIT;
    let loss = OUTLYING_WEIGHT * given;
    for (let at = given; at < order.length; at++) {
      const { power, count } = samples[order[at]];
      loss += lostBy((count * step * step) / (12 * power));
    }
    if (loss < bestLoss) [best, bestLoss] = [given, loss];
  }
  return order.slice(0, best).sort((a, b) => a - b);
}

/** How far a sample is lost, 0 to 1, by its squared error as a share of its power. */
function lostBy(error: number): number {
  const share = Math.min(1, error);
  return share ** 2 / (share ** 2 + HALF_LOST ** 2);
}
