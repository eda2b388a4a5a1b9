#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { asHoneError, HoneError } from '../core/error';
import { nearest } from '../core/nearest';
import { openConsole, printError } from './console';
import type { OptionValues, Verb } from './verb';
import { VERBS } from './verbs';
import { version } from './version';

/** Runs the program with these arguments (without `node` and the script) and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const interrupt = new AbortController();
  process.on('SIGINT', () => interrupt.abort());
  process.on('SIGTERM', () => interrupt.abort());
  let code = 0;
  const program = new Command('hone')
    .description(
      'Compress an ONNX network, run it on an edge board with int8 kernels, and measure what it costs there.',
    )
    .version(version())
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showHelpAfterError(false);
  for (const verb of VERBS) {
    const command = program.command(verb.name).description(verb.summary);
    for (const { name, description } of verb.args) command.argument(name, description);
    for (const { flags, description, default: value } of verb.options)
      command.option(flags, description, value as string);
    command.option('--json', 'print one JSON value instead of text');
    if (verb.examples.length > 0)
      command.addHelpText('after', `\nExamples:\n${verb.examples.map((line) => `  ${line}`).join('\n')}`);
    command.action(async () => {
      const options = command.opts() as OptionValues;
      code = (await verb.run(command.args, options, openConsole(json, interrupt.signal))) ?? 0;
    });
  }
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return printError(error instanceof CommanderError ? usageError(error, argv) : asHoneError(error), json);
  }
}

/** A mistake on the command line in our own terms, with the nearest right word. */
function usageError(error: CommanderError, argv: readonly string[]): HoneError {
  const verb: Verb | undefined = VERBS.find(({ name }) => name === argv[0]);
  const word = /'([^']+)'/.exec(error.message)?.[1] ?? argv[0];
  if (error.code === 'commander.unknownOption') {
    const known = ['--json', '--help', ...(verb?.options.map(({ flags }) => flags.split(' ')[0]) ?? [])];
    return new HoneError('E_OPTION_UNKNOWN', {
      option: word,
      nearest: nearest(word, known) ?? '--help',
      verb: argv[0],
    });
  }
  if (error.code === 'commander.unknownCommand') {
    const names = VERBS.map(({ name }) => name);
    return new HoneError('E_VERB_UNKNOWN', { verb: word, nearest: nearest(word, names) ?? names.join(', ') });
  }
  return new HoneError('E_USAGE', { reason: error.message.replace(/^error: /, ''), verb: verb?.name ?? '' });
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
