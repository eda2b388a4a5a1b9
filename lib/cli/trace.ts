import { HoneError } from '../core/error';
import type { Trace } from '../passes/rewrite';
import type { Console } from './console';

/** What HONE_TRACE may name. */
const WORDS: readonly string[] = ['passes'];

/**
 * A printer of every rewrite of a graph, rule and nodes, on standard error; undefined unless `wanted` (HONE_TRACE) asks for it.
 * @throws E_OPTION_VALUE for a word that is not known
 */
export function traceOf(console: Console, wanted: string | undefined = process.env.HONE_TRACE): Trace | undefined {
  const words = (wanted ?? '').split(',').filter((word) => word !== '');
  const unknown = words.find((word) => !WORDS.includes(word));
  if (unknown !== undefined)
    throw new HoneError('E_OPTION_VALUE', { option: 'HONE_TRACE', expected: WORDS.join(', '), found: unknown });
  return words.includes('passes') ? ({ rule, nodes }) => console.note(`${rule}: ${nodes.join(', ')}`) : undefined;
}
