import type { Console } from '../../lib/cli/console';
import type { OptionValues, Verb } from '../../lib/cli/verb';

/** What a person may be shown of one model. */
export const MOST_LINES = 40;

/** The lines that a verb prints, on standard output and error. */
export async function printed(verb: Verb, path: string, options: OptionValues = {}): Promise<string[]> {
  const lines: string[] = [];
  const say = (line = '') => void lines.push(...line.split('\n'));
  const nothing = () => {};
  const console: Console = {
    json: false,
    signal: new AbortController().signal,
    say,
    note: say,
    result: nothing,
    resultLine: nothing,
    jsonLine: async () => {},
    progress: nothing,
  };
  await verb.run([path], options, console);
  return lines;
}
