import { formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import type { Attribute, Node } from './graph';

type Kind = Attribute['kind'];
type ValueOfKind<K extends Kind> = Extract<Attribute, { kind: K }>['value'];

/**
 * Value of a node's attribute, or `fallback` when it is left out.
 * @throws E_GRAPH_INVALID naming node and attribute when it has another kind, or is left out and there is no fallback
 */
export function attribute<K extends Kind>(
  node: Node,
  name: string,
  kind: K,
  fallback?: ValueOfKind<K>,
): ValueOfKind<K> {
  const found = node.attributes.get(name);
  if (found === undefined && fallback !== undefined) return fallback;
  if (found?.kind !== kind)
    throw new HoneError('E_GRAPH_INVALID', {
      diagnostics: formatDiagnostics([
        {
          severity: 'error',
          kind: 'schema',
          where: node.name,
          message: `${node.op}: ${attributeFault(name, found?.kind, kind)}`,
        },
      ]),
    });
  return found.value as ValueOfKind<K>;
}

/** Says that an attribute is of a kind, or is not there, where another kind is expected. */
export function attributeFault(name: string, found: Kind | undefined, expected: Kind): string {
  return found === undefined
    ? `attribute '${name}' is missing`
    : `attribute '${name}' is ${found}, expected ${expected}`;
}

/** Attribute map from plain values: integers become `int`/`ints`; wrap other kinds in an Attribute yourself. */
export function attributes(
  values: Readonly<Record<string, Attribute | number | string | readonly number[] | undefined>>,
): Map<string, Attribute> {
  const map = new Map<string, Attribute>();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (typeof value === 'number') map.set(name, { kind: 'int', value });
    else if (typeof value === 'string') map.set(name, { kind: 'string', value });
    else if (Array.isArray(value)) map.set(name, { kind: 'ints', value: value as readonly number[] });
    else map.set(name, value as Attribute);
  }
  return map;
}
