import type { Finding } from '../jobs/doctor';
import { colors } from './colors';

/** Rows of `pairs` with the state of each thing in its colour. */
export function markedRows(
  rows: readonly (readonly [what: string, state: Finding['state'], text: string])[],
): [string, string][] {
  const marks = { ok: colors.green('ok'), missing: colors.red('missing'), absent: colors.yellow('absent') };
  // Colour codes take no room on the screen: the words are padded first.
  const mark = (state: keyof typeof marks) => marks[state] + ' '.repeat('missing'.length - state.length);
  return rows.map(([what, state, text]) => [what, `${mark(state)}  ${text}`]);
}
