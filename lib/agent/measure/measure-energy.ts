import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { EnergyMeter } from '../../sensors/energy-meter';
import { type EnergyTotal, energyPerInference, isLongEnough } from '../../telemetry/energy';
import type { InferenceEnergy } from '../../telemetry/sample';

/** A source that needs a longer window than this gives no figure, in milliseconds. */
const LONGEST_MS = 60_000;
/** Between two reads of a counter. */
const COUNTER_POLL_MS = 50;

/** How time passes. */
interface Time {
  readonly nowMs: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
}

const REAL: Time = { nowMs: () => performance.now(), pause: (ms) => delay(ms) };

/**
 * Joules of one inference by runs back to back, over a window that is long enough for the source; net of what the source gave in
 * a window of the same kind without any. Null with the reason where nothing measures energy or the source is too slow.
 * @param run one inference
 */
export async function measureEnergy(meter: EnergyMeter, run: () => void, time: Time = REAL): Promise<InferenceEnergy> {
  const { scope, source } = meter;
  const first = meter.take();
  if (first.joules === null) return { scope, source, joules: null, reason: first.reason ?? 'the source gave no value' };
  const pollMs = meter.pollMs ?? COUNTER_POLL_MS;
  const idle = await observe(meter, async () => {
    await time.pause(pollMs);
    return 0;
  });
  if (typeof idle === 'string') return { scope, source, joules: null, reason: idle };
  const busy = await observe(meter, async () => {
    let count = 0;
    const until = time.nowMs() + pollMs;
    do {
      run();
      count++;
    } while (time.nowMs() < until);
    return count;
  });
  if (typeof busy === 'string') return { scope, source, joules: null, reason: busy };
  const found = energyPerInference({ ...busy, idleWatts: (1000 * idle.joules) / idle.windowMs });
  if (found.joules === null) return { scope, source, ...found };
  return { scope, source, ...found, windowMs: busy.windowMs, inferences: busy.inferences };
}

interface Observed {
  readonly joules: number;
  readonly inferences: number;
  readonly windowMs: number;
  readonly values: number;
  readonly longestMs: number;
}

/** What the source gives while `step` is done again and again; a text says why there is no figure. */
async function observe(meter: EnergyMeter, step: () => Promise<number>): Promise<Observed | string> {
  const start = meter.take();
  let end: EnergyTotal = start;
  let [inferences, longestMs] = [0, 0];
  for (;;) {
    inferences += await step();
    end = meter.take();
    longestMs = Math.max(longestMs, end.longestMs);
    if (start.joules === null || end.joules === null) return end.reason ?? start.reason ?? 'the source gave no value';
    const windowMs = (end.monotonicNs - start.monotonicNs) / 1e6;
    const values = end.values - start.values;
    const seen = { joules: end.joules - start.joules, inferences, windowMs, values, longestMs };
    if (isLongEnough(seen)) return seen;
    if (windowMs > LONGEST_MS)
      return `the source gave ${Math.round(values)} values in ${Math.round(windowMs / 1000)} s, too few for a figure`;
  }
}
