#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { asHoneError, HoneError } from '../core/error';
import { adviceOn, nearest } from '../core/nearest';
import { version } from '../engine/version';
import { openConsole, printError } from './console';
import { listenForSignals, signalExitCode } from './interrupt';
import { guardOutput } from './output';
import { allOptions, type OptionValues, optionNames, type Verb, type VerbRow } from './verb';
import { VERBS } from './verbs';

const SUMMARY = 'Compress an ONNX network, run it on an edge board with int8 kernels, and measure what it costs there.';

/** Runs the program with these arguments (without `node` and the script) and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const interrupt = new AbortController();
  listenForSignals(interrupt);
  let failed = false;
  const fail = (error: unknown): void => {
    if (!failed) printError(asHoneError(error), json);
    failed = true;
    // Output may fail after the verb has ended.
    process.exitCode = 1;
  };
  guardOutput(() => interrupt.abort('EPIPE'), fail);
  // Without a listener such errors end the program with a stack trace.
  for (const event of ['uncaughtException', 'unhandledRejection'])
    process.on(event, (error: unknown) => {
      fail(error);
      process.exit(1);
    });
  try {
    const console = openConsole(json, interrupt.signal);
    const code = await runVerb(argv, (verb, args, options) => verb.run(args, options, console));
    return failed ? 1 : code;
  } catch (error) {
    const interrupted = error instanceof HoneError && error.code === 'E_INTERRUPTED';
    if (!interrupted || interrupt.signal.reason !== 'EPIPE')
      fail(error instanceof CommanderError ? usageError(error, argv) : error);
    return interrupted && !failed ? 0 : ((interrupted ? signalExitCode(interrupt.signal) : undefined) ?? 1);
  }
}

type RunVerb = (verb: Verb, args: readonly string[], options: OptionValues) => Promise<number | undefined>;

/** The row of the verb that the arguments name; `hone help VERB` names one, too. */
function namedRow(argv: readonly string[]): VerbRow | undefined {
  const word = argv[0] === 'help' ? argv[1] : argv[0];
  return VERBS.find(({ name }) => name === word);
}

/** Parses the arguments and runs the verb that they name; returns the exit code. @throws CommanderError for wrong usage */
async function runVerb(argv: readonly string[], run: RunVerb): Promise<number> {
  let code = 0;
  const program = new Command('hone').description(SUMMARY).version(version());
  // An option behind a verb is the verb's own: `load NAME --version 2` is no question for the version of this program.
  program.enablePositionalOptions();
  program.exitOverride().configureOutput({ writeErr: () => {} });
  const named = namedRow(argv);
  for (const row of VERBS) {
    const command = program.command(row.name).description(row.summary);
    // Other verbs are only listed: what they do is not loaded.
    if (row !== named) continue;
    const verb = row.load();
    for (const { name, description } of verb.args) command.argument(name, description);
    for (const { flags, description, default: value, repeatable } of allOptions(verb)) {
      const option = new Option(flags, description);
      if (repeatable) option.argParser((next: string, before: string[] = []) => [...before, next]);
      // Shown as it is typed, without quotes.
      else if (value !== undefined) option.default(value, String(value));
      command.addOption(option);
    }
    command.addHelpText('after', `\nExamples:\n${verb.examples.map((line) => `  ${line}`).join('\n')}`);
    command.action(async () => {
      code = (await run(verb, command.args, command.opts() as OptionValues)) ?? 0;
    });
  }
  if (argv.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    // Help and version end by an exception, too.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    throw error;
  }
}

/** Options as other tools call them, where the nearest of ours would be another. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['-o', '--out'],
  ['--output', '--out'],
]);

/** A mistake on the command line in our own terms, with the nearest right word. */
function usageError(error: CommanderError, argv: readonly string[]): HoneError {
  const row = namedRow(argv);
  const word = /'([^']+)'/.exec(error.message)?.[1] ?? argv[0];
  if (error.code === 'commander.unknownOption') {
    const own = row === undefined ? ['--version', '--help'] : optionNames(row.load());
    const elsewhere = ELSEWHERE.get(word) ?? '';
    // There are no short forms, but people try them.
    const near = own.includes(elsewhere) ? elsewhere : nearest(/^-[a-z]$/.test(word) ? `-${word}` : word, own);
    const advice = near === undefined ? '' : `Did you mean '${near}'?`;
    return new HoneError('E_OPTION_UNKNOWN', { option: word, advice, verb: row?.name ?? '' });
  }
  if (
    error.code === 'commander.unknownCommand' ||
    (error.message.includes('too many arguments') && row === undefined)
  ) {
    const names = VERBS.map(({ name }) => name);
    return new HoneError('E_VERB_UNKNOWN', { verb: word, ...adviceOn(word, names) });
  }
  return new HoneError('E_USAGE', { reason: error.message.replace(/^error: /, ''), verb: row?.name ?? '' });
}

void main(process.argv.slice(2)).then((code) => {
  if (code !== 0) process.exitCode = code;
});
