import { compile, diagnose } from '../compile/compile';
import type { Graph } from '../ir/graph';
import { quantile } from '../telemetry/statistics';
import { openNativeExecutor } from './native-executor';
import { prepareForEngine } from './prepare-for-engine';
import { randomFeeds } from './random-feeds';
import type { EngineLatency } from './recipe-report';

/** Runs at least, and the time that is filled with runs: first to warm up code, caches and clock, then to be timed. */
const WARM_UP = { leastRuns: 20, budgetMs: 50 };
const TIMED = { leastRuns: 50, budgetMs: 200 };

/** Median latency of one inference on the native engine, one thread, or what the engine lacks for this model. */
export async function engineLatency(graph: Graph): Promise<EngineLatency> {
  const prepared = prepareForEngine(graph);
  const [missing] = diagnose(prepared).filter(({ severity }) => severity === 'error');
  if (missing) return { p50Us: null, reason: `${missing.where}: ${missing.message}` };
  const executor = openNativeExecutor(compile(prepared, { sourceHash: '0'.repeat(64) }).plan);
  try {
    const feeds = randomFeeds(executor.inputs, 1, executor.indexLimits);
    const run = () => executor.run(feeds);
    await timesOf(run, WARM_UP);
    return { p50Us: quantile(await timesOf(run, TIMED), 0.5) };
  } finally {
    await executor.close();
  }
}

/** Microseconds of each run. */
async function timesOf(run: () => Promise<unknown>, { leastRuns, budgetMs }: typeof TIMED): Promise<number[]> {
  const times: number[] = [];
  const start = process.hrtime.bigint();
  const elapsedUs = (since: bigint) => Number(process.hrtime.bigint() - since) / 1000;
  while (times.length < leastRuns || elapsedUs(start) < 1000 * budgetMs) {
    const before = process.hrtime.bigint();
    await run();
    times.push(elapsedUs(before));
  }
  return times;
}
