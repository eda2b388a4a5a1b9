import { availableParallelism, loadavg } from 'node:os';
import { compile, diagnose } from '../compile/compile';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { narrowPorts } from '../passes/narrow-ports';
import { quantile } from '../telemetry/statistics';
import type { Executor } from './executor';
import { openNativeExecutor } from './native-executor';
import { prepareForEngine } from './prepare-for-engine';
import { randomFeeds } from './random-feeds';
import type { EngineLatency, MachineLoad } from './recipe/recipe-report';

/** Every model has that many turns, one after the other, so that a busy while meets all of them. */
const TURNS = 21;
/** Time that one turn is filled with runs, and the least of them; the first run of a turn is not timed. */
const TURN_MS = 10;
const LEAST_RUNS = 2;
/** Turns that warm up code, caches and clock. */
const WARM_UP_TURNS = 4;

/** Latencies of models, measured in turns, and how busy the machine was meanwhile. */
export interface TimedModels {
  readonly latencies: readonly EngineLatency[];
  readonly load: MachineLoad;
}

/**
 * One inference of each model on the native engine, one thread; or what the engine lacks for it. Inputs and outputs of the names
 * `float16Ports` are float16.
 */
export async function engineLatencies(
  graphs: readonly Graph[],
  float16Ports: ReadonlySet<string>,
): Promise<TimedModels> {
  const opened: (TimedModel | Untimed)[] = [];
  try {
    for (const graph of graphs) opened.push(await openTimed(graph, float16Ports));
    const models = opened.filter((model) => 'run' in model);
    for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn++)
      for (const model of models) {
        const times = await runTurn(model);
        if (turn >= WARM_UP_TURNS) model.times.push(...times);
      }
    const [perMinute] = loadavg();
    return {
      latencies: opened.map((model) =>
        'run' in model
          ? { p50Us: quantile(model.times, 0.5), leastUs: quantile(model.times, 0) }
          : { p50Us: null, reason: model.reason },
      ),
      load: { perMinute, processors: availableParallelism() },
    };
  } finally {
    for (const model of opened) if ('run' in model) await model.executor.close();
  }
}

interface TimedModel {
  readonly executor: Executor;
  readonly run: () => Promise<unknown>;
  /** Microseconds of each timed run. */
  readonly times: number[];
}

interface Untimed {
  readonly reason: string;
}

async function openTimed(graph: Graph, float16Ports: ReadonlySet<string>): Promise<TimedModel | Untimed> {
  const prepared = narrowPorts(prepareForEngine(graph), float16Ports);
  const [missing] = diagnose(prepared).filter(({ severity }) => severity === 'error');
  if (missing) return { reason: `${missing.where}: ${missing.message}` };
  const executor = openNativeExecutor(compile(prepared, { sourceHash: '0'.repeat(64) }).plan);
  const feeds = executor.convert(randomFeeds(executor.inputs, 1, executor.indexLimits));
  try {
    await executor.run(feeds);
  } catch (error) {
    await executor.close();
    if (error instanceof HoneError && error.code === 'E_INPUT_INDEX') return { reason: error.message };
    throw error;
  }
  return { executor, run: () => executor.run(feeds), times: [] };
}

/** Microseconds of the runs of one turn. */
async function runTurn({ run }: TimedModel): Promise<number[]> {
  await run();
  const times: number[] = [];
  const elapsedUs = (since: bigint) => Number(process.hrtime.bigint() - since) / 1000;
  const start = process.hrtime.bigint();
  while (times.length < LEAST_RUNS || elapsedUs(start) < 1000 * TURN_MS) {
    const before = process.hrtime.bigint();
    await run();
    times.push(elapsedUs(before));
  }
  return times;
}
