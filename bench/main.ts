import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../lib/cli/text';
import { HoneError } from '../lib/core/error';
import { nearest } from '../lib/core/nearest';
import { describeEnvironment, type Environment, environmentLine, ROOT } from './environment';
import { DATA_FOLDER, findModels } from './models';
import type { Trial, TrialRecord } from './trial';
import { TRIALS } from './trials';

const USAGE = 'npm run bench [-- TRIAL...] [--pairs N] [--seconds N] [--only MODEL[/SEED]]... [--out FILE]';

interface BenchArguments {
  readonly trials: readonly Trial[];
  readonly pairs: number;
  readonly seconds: number | undefined;
  /** Parts of trials to run; all when empty. */
  readonly only: readonly string[];
  /** File for all result lines; `bench/results/<trial>.jsonl` when undefined. */
  readonly out: string | undefined;
}

/** Runs the trials asked for; 1 when one fails, misses a bar, or when nothing ran at all. */
async function main(argv: string[]): Promise<number> {
  const { trials, pairs, seconds, only, out } = readArguments(argv);
  const environment = describeEnvironment();
  const models = findModels();
  const skipped = new Set<string>();
  const faults: string[] = [];
  let results = 0;
  console.log(environmentLine(environment));
  for (const trial of trials) {
    console.log(`\n${trial.name}: ${trial.what}`);
    const path = out ?? join(ROOT, 'bench/results', `${trial.name}.jsonl`);
    const before = results;
    const write = (records: readonly TrialRecord[]) => append(trial, records, environment, path);
    try {
      const outcome = await trial.run({
        pairs,
        ...(seconds === undefined ? {} : { seconds }),
        models,
        dataFolder: DATA_FOLDER,
        say: (line) => console.error(line),
        wants: (part) => only.length === 0 || only.some((word) => isPartOf(part, word)),
        keep: async (record) => {
          await write([record]);
          results++;
        },
      });
      results += outcome.records.length;
      for (const reason of outcome.skipped) skipped.add(reason);
      faults.push(...outcome.missed);
      if (outcome.table.length > 1) console.log(table(outcome.table).join('\n'));
      if (outcome.records.length > 0) await write(outcome.records);
      if (results > before) console.log(`-> ${relative(process.cwd(), path)}`);
    } catch (error) {
      faults.push(`${trial.name} failed: ${error instanceof HoneError ? error.message : (error as Error).stack}`);
    }
  }
  console.log('');
  for (const reason of skipped) console.log(`skipped  ${reason}`);
  for (const fault of faults) console.log(`FAIL     ${fault}`);
  if (results === 0) console.log('FAIL     nothing was measured');
  console.log(`${results} results, ${skipped.size} skipped, ${faults.length} missed or failed`);
  return results === 0 || faults.length > 0 ? 1 : 0;
}

/** @throws E_OPTION_VALUE for an unknown trial or option, or a number that is none */
function readArguments(argv: string[]): BenchArguments {
  const parsed = parse(argv);
  const names = TRIALS.map(({ name }) => name);
  const trials = parsed.positionals.map((word) => {
    const trial = TRIALS.find(({ name }) => name === word);
    if (trial) return trial;
    const hint = nearest(word, names);
    const expected = `one of ${names.join(', ')}${hint ? ` (such as '${hint}')` : ''}`;
    throw new HoneError('E_OPTION_VALUE', { option: 'TRIAL', expected, found: word });
  });
  const pairs = wholeNumber('--pairs', parsed.values.pairs);
  const seconds = parsed.values.seconds === undefined ? undefined : wholeNumber('--seconds', parsed.values.seconds);
  const chosen = trials.length > 0 ? trials : TRIALS.filter(({ long }) => !long);
  const { only = [] } = parsed.values;
  const parts = chosen.flatMap((trial) => trial.parts ?? []);
  const wrong =
    only.find((word) => !parts.some((part) => isPartOf(part, word))) ??
    (only.length > 0 ? chosen.find((trial) => !trial.parts)?.name : undefined);
  if (wrong !== undefined)
    throw new HoneError('E_OPTION_VALUE', {
      option: '--only',
      expected: parts.length > 0 ? `parts of the trials named: ${parts.join(', ')}` : 'trials that can run in parts',
      found: wrong,
    });
  return { trials: chosen, pairs, seconds, only, out: parsed.values.out };
}

/** @throws E_OPTION_VALUE */
function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new HoneError('E_OPTION_VALUE', { option, expected: 'a whole number', found: text });
}

/** Whether `--only` means a part by this word: its name, or the model of all its seeds. */
function isPartOf(part: string, word: string): boolean {
  return part === word || part.startsWith(`${word}/`);
}

function parse(argv: string[]) {
  try {
    const options = {
      pairs: { type: 'string', default: '400' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true },
      out: { type: 'string' },
    } as const;
    return parseArgs({ args: argv, allowPositionals: true, options });
  } catch (error) {
    throw new HoneError('E_OPTION_VALUE', { option: 'of bench', expected: USAGE, found: (error as Error).message });
  }
}

/** Appends result lines; each carries trial and environment. */
async function append(
  trial: Trial,
  records: readonly TrialRecord[],
  environment: Environment,
  path: string,
): Promise<void> {
  const lines = records.map((record) => JSON.stringify({ trial: trial.name, ...environment, ...record }));
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, `${lines.join('\n')}\n`);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error instanceof HoneError ? `error ${error.message} [${error.code}]` : error);
    process.exitCode = 1;
  },
);
