import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { HoneError, readError } from '../../core/error';
import { replaceFile } from '../replace-file';
import type { Catalogue, CatalogueEntry } from './catalogue';

const FILE = 'catalogue.json';
const ENDING = '.plan';

/**
 * A folder of plans: what its `catalogue.json` says, or without one all its `*.plan` files. It is read whenever it is asked, so
 * that what a person adds there can be loaded; what is loaded and unloaded is written there. Its methods throw E_CATALOGUE for
 * anything that is not as it should be, with its place; E_FILE_ACCESS, E_FILE_NOT_FOUND; E_FILE_WRITE.
 */
export function folderCatalogue(folder: string): Catalogue {
  const path = join(folder, FILE);
  return {
    entries: async () => parse((await readDocument(path)) ?? (await listPlans(folder)), path),
    locate: ({ plan }) => planWithin(folder, String(plan)),
    async setLoaded(name, version, loaded) {
      const document = (await readDocument(path)) ?? (await listPlans(folder));
      const index = parse(document, path).findIndex((entry) => entry.name === name && entry.version === version);
      const { models } = document as { readonly models: readonly CatalogueEntry[] };
      if (index < 0 || (models[index].loaded ?? true) === loaded) return;
      const changed = models.map((entry, at) => (at === index ? { ...entry, loaded } : entry));
      await write(path, changed);
    },
    check: (entry) => void parse({ models: [entry] }, path),
    async put(entry) {
      const document = (await readDocument(path)) ?? (await listPlans(folder));
      const index = parse(document, path).findIndex(
        ({ name, version }) => name === entry.name && version === entry.version,
      );
      const { models } = document as { readonly models: readonly CatalogueEntry[] };
      await write(path, index < 0 ? [...models, entry] : models.with(index, entry));
    },
  };
}

function write(path: string, models: readonly CatalogueEntry[]): Promise<void> {
  return replaceFile(path, `${JSON.stringify({ models }, null, 2)}\n`);
}

/** Loaded when first needed: the schema's library takes megabytes, which an agent of one plan need not hold. */
function parse(document: unknown, path: string): readonly CatalogueEntry[] {
  return (require('./catalogue-schema') as typeof import('./catalogue-schema')).parseCatalogue(document, path);
}

/** JSON of the catalogue file; undefined when there is none. */
async function readDocument(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw readError(path, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw new HoneError('E_CATALOGUE', { path, place: 'the whole', expected: 'JSON', found: message });
  }
}

/** All plans of a folder as a catalogue. */
async function listPlans(folder: string): Promise<{ readonly models: readonly object[] }> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw readError(folder, error);
  });
  const plans = names.filter((name) => name.endsWith(ENDING) && name !== ENDING).sort();
  if (plans.length === 0)
    throw new HoneError('E_CATALOGUE', {
      ...{ path: folder, place: 'the folder', expected: `${FILE} or files that end in ${ENDING}` },
      found: names.length === 0 ? 'nothing' : `${names.length} other files`,
    });
  return { models: plans.map((plan) => ({ name: basename(plan, ENDING), plan })) };
}

/** The file of a plan, which links must not lead out of the folder. */
async function planWithin(folder: string, plan: string): Promise<string> {
  const path = join(folder, plan);
  const refuse = (expected: string, found: string) =>
    new HoneError('E_CATALOGUE', { path: folder, place: plan, expected, found });
  const [root, target] = await Promise.all([realpath(folder), realpath(path)]).catch((error: unknown) => {
    throw readError(path, error);
  });
  if (!target.startsWith(root + sep)) throw refuse('a plan inside the folder', `a link to ${target}`);
  const found = await stat(target);
  if (!found.isFile()) throw refuse('a file', found.isDirectory() ? 'a folder' : 'something else');
  return target;
}
