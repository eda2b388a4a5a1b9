import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * Compares the rows that a check_kernels lists (all of its tables, as they were linked) with native/sources.json: every file of an
 * instruction set of `arch`, and ref, must be a row, and every row a file. Returns how many agree; throws naming those that do not.
 */
export function compareLinkedRows(command, args, arch) {
  const { kernels, instruction_sets: sets } = JSON.parse(readFileSync(join(root, 'native/sources.json'), 'utf8'));
  const listed = spawnSync(command, [...args, '--list'], { encoding: 'utf8' });
  if (listed.status !== 0) throw new Error(`${command} --list: ${listed.error?.message ?? listed.stderr}`);
  const linked = [...listed.stdout.matchAll(/^ {2}(\w+)/gm)].map(([, row]) => row);
  const refs = kernels.baseline.filter((file) => file.endsWith('_ref.cc'));
  const compiled = [...refs, ...sets[arch].flatMap((set) => kernels[set])].map((file) => basename(file, '.cc'));
  const wrong = [
    ...linked
      .filter((row) => !compiled.includes(row))
      .map((row) => `${row} is a row, but no file of native/sources.json`),
    ...compiled.filter((row) => !linked.includes(row)).map((row) => `${row}.cc is compiled, but no row of a table`),
  ];
  if (wrong.length > 0 || linked.length === 0 || new Set(linked).size < linked.length)
    throw new Error(`rows of the linked tables: ${wrong.join('; ') || `${linked.length} rows, some twice or none`}`);
  return linked.length;
}
