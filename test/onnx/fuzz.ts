import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { casePath, dataPath } from '../data';
import { corpusOf, makeCase, type Stage } from './fuzz-case';

/**
 * Takes mutated models through reading, preparing, compiling, running beside onnxruntime, and quantizing:
 *   node dist/test/onnx/fuzz.js [--seconds N] [--seed N] [--case N]
 * Every case is made of seed and number alone; `--case` tries one again. Failing models are left in out/gates/onnx.
 */

/** One case may take this long; more counts as a hang. */
const LIMIT_MS = 10_000;
/** Most memory of a process that tries cases, in kB. */
const LIMIT_KB = 2 * 1024 * 1024;
/** Where failing models are left. */
const FOLDER = 'out/gates/onnx';

/** What happened so far. */
class Tally {
  readonly seed: number;
  readonly outcomes = new Map<string, number>();
  defects = 0;
  /** Ends, hangs and memory of onnxruntime itself. */
  foreign = 0;
  executions = 0;
  peakKb = 0;
  slowestMs = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** Told at once: a run may be ended before its time. */
  blame(index: number, stage: Stage | 'start', what: string): void {
    const isForeign = stage === 'onnxruntime';
    if (isForeign) this.foreign++;
    else this.defects++;
    console.error(`${isForeign ? 'onnxruntime' : 'defect'}, seed ${this.seed}, case ${index}, ${stage}: ${what}`);
  }

  text(): string {
    const counts = [...this.outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    return (
      `${this.executions} executions (${counts}); slowest ${Math.round(this.slowestMs)} ms, ` +
      `peak ${Math.round(this.peakKb / 1024)} MB; ${this.defects} defects, ${this.foreign} of onnxruntime`
    );
  }
}

/** Tries cases from `first` on in one process until it ends or the time is over; returns the next case to try. */
async function tryCases(
  seed: number,
  first: number,
  folders: readonly string[],
  tally: Tally,
  save: (index: number) => void,
  isOver: () => boolean,
  most = Number.POSITIVE_INFINITY,
): Promise<number> {
  const words = ['--seed', String(seed), '--from', String(first), ...folders.flatMap((folder) => ['--folder', folder])];
  const child: ChildProcess = spawn(process.execPath, [join(__dirname, 'fuzz-worker.js'), ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let index = first;
  let stage: Stage | 'start' = 'start';
  let began = performance.now();
  let stopped = false;
  let why = '';
  const stop = (reason = ''): void => {
    stopped = true;
    why = reason;
    child.kill('SIGKILL');
  };
  const blame = (what: string): void => {
    tally.blame(index, stage, what);
    if (stage !== 'onnxruntime') save(index);
  };
  const watch = setInterval(() => {
    if (stage !== 'start' && performance.now() - began > LIMIT_MS) stop('it hangs');
  }, 500);
  const ended = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ?? code ?? 0));
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    const [word, ...rest] = line.split(' ');
    if (word === 'begin') {
      index = Number(rest[0]);
      [stage, began] = ['read', performance.now()];
    } else if (word === 'stage') stage = rest[0] as Stage;
    else if (word === 'end' || word === 'fault') {
      tally.executions++;
      tally.slowestMs = Math.max(tally.slowestMs, performance.now() - began);
      if (word === 'fault') {
        tally.blame(index, stage, JSON.parse(rest.join(' ')));
        save(index);
      } else {
        const outcome = rest.slice(1).join(' ');
        tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
        const kb = Number(rest[0]);
        tally.peakKb = Math.max(tally.peakKb, kb);
        if (kb > LIMIT_KB) stop(`it takes ${Math.round(kb / 1024)} MB`);
      }
      index++;
      if (isOver() || index >= first + most) stop();
    }
    if (stopped) break;
  }
  const how = await ended;
  clearInterval(watch);
  if (stopped && why === '') return index;
  if (stopped && why !== 'it hangs') index--;
  if (stopped) blame(why);
  else if (how !== 0) blame(`the process ended by ${how}`);
  else return index;
  return index + 1;
}

/** Folders with models: the small inputs that once failed, and the conformance tests, unpacked. */
function seedFolders(scratch: string): string[] {
  const folders = [casePath('.')].filter((folder) => existsSync(folder));
  const archive = dataPath('conformance', 'onnx-v1.21.0-tests.tar.xz');
  if (!existsSync(archive)) return folders;
  execFileSync('tar', ['-xJf', archive, '-C', scratch, '--wildcards', '*/model.onnx']);
  return [...folders, scratch];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const seconds = Number(values.seconds ?? 20);
  const only = values.case === undefined ? undefined : Number(values.case);
  const scratch = mkdtempSync(join(tmpdir(), 'hone-fuzz-'));
  try {
    const folders = seedFolders(scratch);
    const corpus = corpusOf(folders);
    console.log(
      `fuzzing models to the end of compile: seed ${seed}, ` +
        `${only === undefined ? `${seconds} s` : `case ${only}`}, ${corpus.length} models to begin with`,
    );
    mkdirSync(FOLDER, { recursive: true });
    const tally = new Tally(seed);
    const save = (index: number): void =>
      writeFileSync(join(FOLDER, `${seed}-${index}.onnx`), makeCase(corpus, seed, index));
    const end = performance.now() + seconds * 1000;
    const isOver = (): boolean => performance.now() > end;
    let told = performance.now();
    if (only !== undefined) {
      save(only);
      await tryCases(seed, only, folders, tally, save, () => false, 1);
    } else
      for (let index = 0; !isOver(); ) {
        index = await tryCases(seed, index, folders, tally, save, isOver);
        if (performance.now() - told > 60_000) {
          console.log(tally.text());
          told = performance.now();
        }
      }
    console.log(tally.text());
    const reached = (tally.outcomes.get('compared') ?? 0) + (tally.outcomes.get('quantized') ?? 0);
    if (tally.defects > 0) process.exitCode = 1;
    else if (only === undefined && reached < 10) {
      console.error('hardly a model was run beside onnxruntime: the fuzzer checks nothing');
      process.exitCode = 1;
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

void main();
