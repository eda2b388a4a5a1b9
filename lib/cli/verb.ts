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

/** One command of the program; help, docs/cli.md and parsing come from this row. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments in commander's notation: `<model>`, `[other]`. */
  readonly args: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly VerbOption[];
  readonly examples: readonly string[];
  /** Runs the verb; a number is the exit code. */
  readonly run: (args: readonly string[], options: OptionValues, console: Console) => Promise<number | undefined>;
}
