import { openSession } from '../../lib/engine/session';
import { median } from '../timing';
import { slowPlan } from './networks';

/** Seconds that load lasts. */
export const LOAD_SECONDS = 20;
/** Compute time of the model that agents are loaded with, in milliseconds. */
const WANTED_MS = 85;

/** A plan whose inference takes about 85 ms on this machine, and what it takes. */
export async function modelOf85Ms(): Promise<{ readonly plan: Uint8Array; readonly computeMs: number }> {
  const few = 10;
  const nodes = Math.max(1, Math.round((few * WANTED_MS) / computeMsOf(slowPlan(few))));
  const plan = slowPlan(nodes);
  return { plan, computeMs: computeMsOf(plan) };
}

/** Median of ten inferences of zeros, in milliseconds. */
export function computeMsOf(plan: Uint8Array): number {
  using session = openSession(plan);
  const feeds = Object.fromEntries(session.inputs.map(({ name, length }) => [name, new Float32Array(length)]));
  session.run(feeds);
  return median(
    Array.from({ length: 10 }, () => {
      const begun = performance.now();
      session.run(feeds);
      return performance.now() - begun;
    }),
  );
}
