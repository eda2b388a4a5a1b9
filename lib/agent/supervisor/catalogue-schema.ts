import { z } from 'zod';
import { HoneError } from '../../core/error';
import { parseOptions } from '../../core/parse-options';

const whole = (high: number) => z.int().min(1).max(high);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a name
const name = z.string().regex(/^[^/\u0000-\u001f]{1,200}$/, 'expected a name of 1 to 200 characters without /');

const entry = z.strictObject({
  name,
  version: z
    .string()
    .regex(/^[\w.-]{1,50}$/, 'expected a version of letters, digits, points and dashes, such as "2"')
    .default('1'),
  plan: z.string().refine(staysInside, 'expected the path of a plan below this folder, without ..'),
  loaded: z.boolean().default(true),
  threads: whole(64).optional(),
  queue: whole(10_000).optional(),
  timeoutMs: whole(3_600_000).optional(),
  batch: z.boolean().optional(),
});

const schema = z.strictObject({ models: z.array(entry) });

/** What a catalogue file holds, with defaults filled in. */
export type CatalogueFile = z.output<typeof schema>;

/**
 * The models of a catalogue file's JSON.
 * @param path the file, for messages
 * @throws E_CATALOGUE with the place of the first fault
 */
export function parseCatalogue(json: unknown, path: string): CatalogueFile['models'] {
  const { models } = checked(json, path);
  for (const [index, { name, version }] of models.entries()) {
    const other = models.findIndex((model) => model.name === name && model.version === version);
    if (other < index)
      throw new HoneError('E_CATALOGUE', {
        ...{ path, place: `models[${index}]`, expected: 'a version of its own' },
        found: `${name} version ${version} as in models[${other}]`,
      });
  }
  return models;
}

function checked(json: unknown, path: string): CatalogueFile {
  try {
    return parseOptions(schema, json, '', 'serve');
  } catch (error) {
    if (!(error instanceof HoneError)) throw error;
    const { option, expected, found, advice } = error.details;
    const isUnknown = error.code === 'E_OPTION_UNKNOWN';
    throw new HoneError(
      'E_CATALOGUE',
      {
        ...{ path, place: option === 'options' ? 'the whole' : option },
        expected: isUnknown ? `a known key (${String(advice).replace(/[.?]$/, '')})` : expected,
        found: isUnknown ? 'another' : found,
      },
      { cause: error },
    );
  }
}

function staysInside(plan: string): boolean {
  const steps = plan.split(/[/\\]/);
  return plan !== '' && !plan.startsWith('/') && !steps.includes('..') && !plan.includes('\0');
}
