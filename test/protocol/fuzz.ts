import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { makeBoardStream, runBoardStream } from './board-case';
import { makeStream, runStream } from './frame-case';
import { makeCase, runCase } from './fuzz-case';

/**
 * Gives changed bodies of requests and responses, and changed streams of frames, to those who read them:
 *   node dist/test/protocol/fuzz.js [--seconds N] [--seed N] [--case N]
 * Every case is made of seed and number alone; `--case` tries one again. Failing bytes are left in out/gates/protocol.
 */

/** Processor time that one case may take; the bodies have at most some 100 kB. */
const LIMIT_MS = 1000;
/** A case that is not over by then hangs. */
const HANG_MS = 15_000;
const FOLDER = 'out/gates/protocol';

/** One case in so many is a stream of frames, and one of frames to a board. */
const STREAM_EVERY = 5;

interface Trial {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** What becomes of it. @throws where that is a defect */
  readonly run: () => string;
}

function makeTrial(seed: number, index: number): Trial {
  if (index % STREAM_EVERY === 0) {
    const bytes = makeStream(seed, index);
    return { what: 'frames', bytes, run: () => runStream(bytes) };
  }
  if (index % STREAM_EVERY === 1) {
    const bytes = makeBoardStream(seed, index);
    return { what: 'frames to a board', bytes, run: () => runBoardStream(bytes) };
  }
  const made = makeCase(seed, index);
  const { side, body, headerLength } = made;
  return { what: `${side}, header length ${headerLength}`, bytes: body, run: () => runCase(made) };
}

interface Task {
  readonly seed: number;
  readonly first: number;
  readonly last: number;
  readonly seconds: number;
  /** The number of the case at hand, for whoever watches. */
  readonly current: Int32Array;
}

interface Result {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly defects: readonly { readonly index: number; readonly what: string }[];
}

function work({ seed, first, last, seconds, current }: Task): Result {
  const end = performance.now() + seconds * 1000;
  const outcomes: Record<string, number> = {};
  const defects: { index: number; what: string }[] = [];
  let slowestMs = 0;
  for (let index = first; index <= last && performance.now() < end; index++) {
    Atomics.store(current, 0, index);
    const trial = makeTrial(seed, index);
    const before = process.cpuUsage();
    try {
      const outcome = trial.run();
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    } catch (error) {
      defects.push({ index, what: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system) / 1000;
    slowestMs = Math.max(slowestMs, ms);
    if (ms > LIMIT_MS) defects.push({ index, what: `it takes ${Math.round(ms)} ms` });
  }
  return { outcomes, slowestMs, defects };
}

function main(): void {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const seconds = Number(values.seconds ?? 20);
  const only = values.case === undefined ? undefined : Number(values.case);
  const current = new Int32Array(new SharedArrayBuffer(4));
  const blame = (index: number, what: string) => {
    const trial = makeTrial(seed, index);
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, `${seed}-${index}`), trial.bytes);
    console.error(`defect, seed ${seed}, case ${index}, ${trial.what}: ${what}`);
    process.exitCode = 1;
  };
  console.log(
    `fuzzing bodies of requests and responses, and frames: seed ${seed}, ${only === undefined ? `${seconds} s` : `case ${only}`}`,
  );
  const task: Task = { seed, first: only ?? 0, last: only ?? 2 ** 31 - 1, seconds, current };
  const worker = new Worker(__filename, { workerData: task });
  let seen = -1;
  const watch = setInterval(() => {
    const index = Atomics.load(current, 0);
    if (index === seen) {
      blame(index, 'it hangs');
      clearInterval(watch);
      void worker.terminate();
    }
    seen = index;
  }, HANG_MS);
  worker.on('error', (error) => {
    clearInterval(watch);
    blame(Atomics.load(current, 0), String(error));
  });
  worker.on('message', ({ outcomes, slowestMs, defects }: Result) => {
    clearInterval(watch);
    for (const { index, what } of defects) blame(index, what);
    const executions = Object.values(outcomes).reduce((sum, count) => sum + count, defects.length);
    const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
    console.log(
      `${executions} executions (${counts.join(', ')}); slowest ${Math.round(slowestMs)} ms; ${defects.length} defects`,
    );
    if (only === undefined && !((outcomes.taken ?? 0) > 100 && Object.keys(outcomes).length > 8)) {
      console.error('hardly a body was taken, or refused for most reasons: the fuzzer checks nothing');
      process.exitCode = 1;
    }
  });
}

if (isMainThread) main();
else parentPort!.postMessage(work(workerData as Task));
