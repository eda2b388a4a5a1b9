import { z } from 'zod';
import { METHODS } from '../../lib/compress/recipe/methods';

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
}

/** docs/recipe-keys.md: every key of every method, from the schemas. */
export function recipeKeysPage(): string {
  return [
    '# Keys of the steps of a recipe',
    '',
    'Generated from `lib/compress/recipe/methods.ts` by `npm run docs`. [recipes.md](recipes.md) says how steps work together.',
    ...METHODS.flatMap(({ method }) => {
      const schema = z.toJSONSchema(method.options, { io: 'input' }) as SchemaNode;
      const rows = rowsOf(schema, '');
      return [
        '',
        `## ${method.name}`,
        '',
        `${sentence(method.summary)}`,
        '',
        '| key | value | default | meaning |',
        '| --- | --- | --- | --- |',
        ...rows,
      ];
    }),
    '',
  ].join('\n');
}

/** Rows of an object's keys; where it stands, defaults may be others than its own schema says. */
function rowsOf({ properties = {}, default: own }: SchemaNode, prefix: string): string[] {
  return Object.entries(properties).flatMap(([key, node]) => {
    const value = (own as Readonly<Record<string, unknown>> | undefined)?.[key] ?? node.default;
    const shown = node.properties || value === undefined ? '' : `\`${JSON.stringify(value)}\``;
    const row = `| \`${prefix}${key}\` | ${cell(valueText(node))} | ${cell(shown)} | ${cell(node.description ?? '')} |`;
    return [row, ...rowsOf(node, `${prefix}${key}.`)];
  });
}

function valueText(node: SchemaNode): string {
  if (node.enum) return node.enum.map((word) => `\`${word}\``).join(', ');
  if (node.const !== undefined) return `\`${node.const}\``;
  if (node.anyOf) return node.anyOf.map(valueText).join(' or ');
  if (node.items) return `list of ${valueText(node.items)}`;
  if (node.properties) return 'object';
  if (typeof node.additionalProperties === 'object') return `map to ${valueText(node.additionalProperties)}`;
  return node.type ?? '';
}

function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}
