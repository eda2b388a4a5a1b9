import { z } from 'zod';
import { HoneError } from './error';
import { toJson } from './json';
import { adviceOn } from './nearest';

/**
 * The options with defaults filled in, checked against their schema (a `z.strictObject`). `place` is the prefix of keys in
 * messages (`recipe.yaml: `), `verb` the command whose help explains them.
 * @throws E_OPTION_UNKNOWN for a misspelled key (naming the nearest), E_OPTION_VALUE for a value that cannot be meant
 */
export function parseOptions<S extends z.ZodType>(
  schema: S,
  given: unknown,
  place = '',
  verb = 'compress',
): z.output<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  // A misspelled key explains more than what is missing or wrong because of it.
  const issues = parsed.error.issues.flatMap(withinUnion);
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const path = (keys: readonly PropertyKey[]) => place + placeOf(keys);
  if (issue.code === 'unrecognized_keys') {
    const option = issue.keys[0];
    const known = keysAt(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), issue.path);
    throw new HoneError('E_OPTION_UNKNOWN', {
      option: path([...issue.path, option]),
      ...adviceOn(option, known, (key) => path([...issue.path, key])),
      verb,
    });
  }
  const found = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], given);
  throw new HoneError('E_OPTION_VALUE', {
    option: path(issue.path).replace(/: $/, '') || 'options',
    expected: expectedOf(issue),
    found: found === undefined ? 'nothing' : excerptOf(toJson(found)),
  });
}

/** Most characters of a wrong value that a message shows. */
const EXCERPT = 80;

function excerptOf(text: string): string {
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}...` : text;
}

type Issue = z.core.$ZodIssue;

/** The issues of the alternative that was meant: the first that takes values of this kind; the issue itself elsewhere. */
function withinUnion(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const isOtherKind = ({ code, path }: Issue) => code === 'invalid_type' && path.length === 0;
  const meant = issue.errors.find((errors) => !errors.some(isOtherKind));
  if (meant) return meant.flatMap(withinUnion).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
  const kinds = issue.errors.flatMap((errors) => errors.map(expectedOf));
  return [{ ...issue, message: [...new Set(kinds)].join(' or ') }];
}

/** What the signs of messages mean, in words. */
const RELATIONS = { '>=': 'at least', '<=': 'at most', '>': 'above', '<': 'below' } as const;

function expectedOf({ message }: Issue): string {
  return message
    .replace(/^(.*?: )?expected /, '')
    .replace(/, received .*$/, '')
    .replace(/^\w+ to (?:be|have) (>=|<=|>|<)/, (_, sign: keyof typeof RELATIONS) => `${RELATIONS[sign]} `);
}

/** Keys as people write them: `steps[2].prune`. */
function placeOf(keys: readonly PropertyKey[]): string {
  return keys.map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at > 0 ? '.' : ''}${String(key)}`)).join('');
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  /** Of a map: what every value is. */
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
}

function propertyOf({ properties, additionalProperties: others }: SchemaNode, key: string): SchemaNode | undefined {
  return properties?.[key] ?? (typeof others === 'object' ? others : undefined);
}

/** Keys that the schema knows for the object at `path`. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let nodes = [schema as SchemaNode];
  const alternatives = () => {
    nodes = nodes.flatMap((node) => [node, ...(node.anyOf ?? [])]);
  };
  alternatives();
  for (const key of path) {
    nodes = nodes.flatMap((node) => (typeof key === 'number' ? node.items : propertyOf(node, String(key))) ?? []);
    alternatives();
  }
  return nodes.flatMap((node) => Object.keys(node.properties ?? {}));
}
