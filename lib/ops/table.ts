import { HoneError } from '../core/error';
import type { Operator } from './operator';

/**
 * Operators by `domain:op`.
 * @throws E_INTERNAL when two rows stand for the same operator
 */
export function operatorTable(operators: readonly Operator[]): ReadonlyMap<string, Operator> {
  const table = new Map<string, Operator>();
  for (const operator of operators) {
    const key = `${operator.domain}:${operator.op}`;
    if (table.has(key)) throw new HoneError('E_INTERNAL', { message: `two table rows for operator ${key}` });
    table.set(key, operator);
  }
  return table;
}
