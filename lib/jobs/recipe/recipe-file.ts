import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Alias, isNode, isScalar, parseDocument, visit, type YAMLMap } from 'yaml';
import { type Recipe, recipeSchema } from '../../compress/recipe/recipe-schema';
import { HoneError, readError } from '../../core/error';
import { parseOptions } from '../../core/parse-options';

/** A recipe and where it came from. */
export interface RecipeSource {
  readonly recipe: Recipe;
  /** Paths in the recipe start here. */
  readonly folder: string;
  /** Prefix of its keys in messages. */
  readonly place: string;
}

/**
 * Reads a recipe from a YAML or JSON file.
 * @throws E_FILE_NOT_FOUND, E_RECIPE for text that is neither, E_OPTION_UNKNOWN and E_OPTION_VALUE with file and place
 */
export async function readRecipe(path: string): Promise<RecipeSource> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw readError(path, error);
  });
  const place = `${path}: `;
  return { recipe: parseRecipe(parseText(text, path), place), folder: dirname(path), place };
}

/**
 * A recipe object with defaults filled in; `place` is the prefix of its keys in messages.
 * @throws E_OPTION_UNKNOWN, E_OPTION_VALUE
 */
export function parseRecipe(given: unknown, place = ''): Recipe {
  return parseOptions(recipeSchema, withOptions(given), place);
}

function parseText(text: string, path: string): unknown {
  try {
    // The parser's own search for repeated keys compares each with all others.
    const document = parseDocument(text, { uniqueKeys: false });
    for (const fault of document.errors)
      throw fault.code === 'MULTIPLE_DOCS' ? new Error('it holds several documents; a recipe is one') : fault;
    visit(document, {
      Map: (_, map) => requireUniqueKeys(map),
      Alias: (_, alias, path) => requireOutside(alias, path),
    });
    // An empty file is a recipe that leaves everything open.
    return document.toJS() ?? {};
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new HoneError('E_RECIPE', { path, reason }, { cause: error });
  }
}

function requireUniqueKeys(map: YAMLMap): void {
  const known = new Set<unknown>();
  for (const { key } of map.items) {
    const word = isScalar(key) ? key.value : key;
    if (known.has(word)) throw new Error(`key '${String(word)}' stands there twice`);
    known.add(word);
  }
}

/** @throws Error when what an alias stands for contains the alias */
function requireOutside({ source }: Alias, path: readonly unknown[]): void {
  if (path.some((around) => isNode(around) && 'anchor' in around && around.anchor === source))
    throw new Error(`what '&${source}' names contains itself`);
}

/** YAML gives null for `- quantize:` without options. */
function withOptions(given: unknown): unknown {
  if (!isObject(given) || !Array.isArray(given.steps)) return given;
  const steps = given.steps.map((step: unknown) =>
    isObject(step) ? Object.fromEntries(Object.entries(step).map(([name, options]) => [name, options ?? {}])) : step,
  );
  return { ...given, steps };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
