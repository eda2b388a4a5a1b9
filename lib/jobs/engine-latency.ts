import { compile, diagnose } from '../compile/compile';
import type { Graph } from '../ir/graph';
import { quantile } from '../telemetry/statistics';
import { openNativeExecutor } from './executor';
import { prepareForEngine } from './make-plan';
import { randomFeeds } from './random-feeds';
import type { EngineLatency } from './recipe-report';

const WARM_UP_RUNS = 20;
/** Runs to time at least, and the time that they may take. */
const LEAST_RUNS = 50;
const MOST_RUNS = 500;
const BUDGET_MS = 200;

/** Median latency of one inference on the native engine, one thread, or what the engine lacks for this model. */
export async function engineLatency(graph: Graph): Promise<EngineLatency> {
  const prepared = prepareForEngine(graph);
  const [missing] = diagnose(prepared).filter(({ severity }) => severity === 'error');
  if (missing) return { p50Us: null, reason: `${missing.where}: ${missing.message}` };
  const executor = openNativeExecutor(compile(prepared, { sourceHash: '0'.repeat(64) }).plan);
  try {
    const feeds = randomFeeds(executor.inputs, 1, executor.indexLimits);
    for (let run = 0; run < WARM_UP_RUNS; run++) await executor.run(feeds);
    const times: number[] = [];
    const start = process.hrtime.bigint();
    const elapsedMs = () => Number(process.hrtime.bigint() - start) / 1e6;
    while (times.length < LEAST_RUNS || (times.length < MOST_RUNS && elapsedMs() < BUDGET_MS)) {
      const before = process.hrtime.bigint();
      await executor.run(feeds);
      times.push(Number(process.hrtime.bigint() - before) / 1000);
    }
    return { p50Us: quantile(times, 0.5) };
  } finally {
    await executor.close();
  }
}
