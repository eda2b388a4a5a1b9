import type { Console } from './console';

/** One option of a verb, in commander's notation: `--threads <n>`. */
export interface VerbOption {
  readonly flags: string;
  readonly description: string;
  readonly default?: string | number;
  /** Whether it may stand there several times; its value is the list of all. */
  readonly repeatable?: boolean;
}

/** Values of the options as typed on the command line, by camel-case name. */
export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** One command of the program; its help, docs/cli.md, completion and parsing come from this value and its row in `verbs.ts`. */
export interface Verb {
  /** Positional arguments in commander's notation: `<model>`, `[other]`. */
  readonly args: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly VerbOption[];
  readonly examples: readonly string[];
  /** Runs the verb; a number is the exit code. */
  readonly run: (args: readonly string[], options: OptionValues, console: Console) => Promise<number | undefined>;
}

/** A verb in the list: what help shows of all verbs, and what it does, loaded when it is wanted. */
export interface VerbRow {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Verb;
}

/** Options that every verb has. */
const SHARED: readonly VerbOption[] = [{ flags: '--json', description: 'print JSON instead of text' }];

/** The options of a verb, with those that all verbs have. */
export function allOptions(verb: Verb): readonly VerbOption[] {
  return [...verb.options, ...SHARED];
}

/** Every option that a verb takes, as it is typed: `--threads`. */
export function optionNames(verb: Verb): string[] {
  return [...allOptions(verb).map(({ flags }) => flags.split(' ')[0]), '--help'];
}
