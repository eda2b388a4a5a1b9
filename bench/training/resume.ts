import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../../lib/core/rng';
import { writeModel } from '../../lib/onnx/write-model';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { train } from '../../lib/train/train';
import { digitsFile, loadDigits, partOf } from '../demo/digits';
import { buildLenet5 } from '../demo/lenet5';
import type { TrialContext, TrialOutcome } from '../trial';

const KILLS = 20;
const SEED = 1;

/** Every kind of step, with training in most of them. */
const RECIPE = {
  model: 'lenet5.onnx',
  seed: SEED,
  data: { training: { path: 'digits.npz', to: 4000 }, augment: { shift: 1 } },
  steps: [
    { 'prune-structured': { macs: 0.8 } },
    { prune: { sparsity: 0.8, training: { epochs: 2, batchSize: 16 } } },
    { finetune: { epochs: 2, batchSize: 16, select: 'last' } },
    { quantize: { weightBits: 4, method: 'qat', qat: { epochs: 2, batchSize: 16 } } },
  ],
};

/** Kills a recipe run on LeNet-5 at random moments and compares what it ends with to the bytes of an undisturbed run. */
export async function runResume({ say }: TrialContext): Promise<TrialOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'hone-resume-'));
  try {
    await prepareFolder(folder);
    const startMs = Date.now();
    await finish(begin(folder, 'whole.onnx'));
    const wholeMs = Date.now() - startMs;
    const expected = readFileSync(join(folder, 'whole.onnx'));
    say(`undisturbed run: ${(wholeMs / 1000).toFixed(0)} s, ${expected.length} bytes`);
    const { kills, runs, within } = await killAndResume(folder, wholeMs, expected, say);
    const missed = runs.filter((equal) => !equal).map(() => 'resume: a killed run ended with other bytes');
    const record = { kills, runs: runs.length, equal: runs.filter(Boolean).length, killedWithin: within, wholeMs };
    return {
      records: [record],
      table: [
        ['kills', 'runs that they fell into', 'with equal bytes', 'undisturbed run'],
        [String(kills), String(runs.length), String(record.equal), `${(wholeMs / 1000).toFixed(0)} s`],
      ],
      skipped: [],
      missed,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A trained network, its samples and the recipe. */
async function prepareFolder(folder: string): Promise<void> {
  const digits = loadDigits();
  const reference = createReferenceEvaluate();
  const options = { epochs: 1, batchSize: 32, learningRate: 0.02, seed: SEED };
  const trained = await train(buildLenet5(SEED), partOf(digits, 'training'), options, reference.evaluate);
  await reference.close();
  writeFileSync(join(folder, 'lenet5.onnx'), writeModel(trained));
  writeFileSync(join(folder, 'digits.npz'), digitsFile(digits));
  writeFileSync(join(folder, 'recipe.json'), JSON.stringify(RECIPE));
}

function begin(folder: string, out: string): ChildProcess {
  const main = require.resolve('../../lib/cli/main');
  return spawn(process.execPath, [main, 'compress', '--recipe', 'recipe.json', '--out', out], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Waits until a run has ended by itself. */
async function finish(child: ChildProcess): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the run ended with code ${code}`);
}

/**
 * Kills runs of one target again and again. A run that comes to its end between two kills is compared and begun anew; the last
 * one runs to its end.
 */
async function killAndResume(folder: string, wholeMs: number, expected: Buffer, say: (line: string) => void) {
  const rng = new Rng(SEED);
  const runs: boolean[] = [];
  const within = { beforeFirstFile: 0, whileTraining: 0, betweenTrainings: 0 };
  const cache = join(folder, 'killed.onnx.hone-cache');
  const compare = () => {
    runs.push(readFileSync(join(folder, 'killed.onnx')).equals(expected));
    for (const path of [cache, join(folder, 'killed.onnx')]) rmSync(path, { recursive: true });
  };
  let kills = 0;
  while (kills < KILLS) {
    const child = begin(folder, 'killed.onnx');
    const ended = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), rng.uniform() * 0.5 * wholeMs);
    const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    if (signal === 'SIGKILL') {
      kills++;
      const files = existsSync(cache) ? readdirSync(cache) : [];
      const training = files.some((name) => name.endsWith('.checkpoint'));
      within[files.length === 0 ? 'beforeFirstFile' : training ? 'whileTraining' : 'betweenTrainings']++;
      say(`kill ${kills}: ${files.filter((name) => name.endsWith('.json')).length} steps done`);
    } else if (code === 0) compare();
    else throw new Error(`the run ended with code ${code}`);
  }
  await finish(begin(folder, 'killed.onnx'));
  compare();
  return { kills, runs, within };
}
