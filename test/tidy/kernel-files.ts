import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readSource, sourceFiles } from './sources';

const FOLDER = 'native/kernels';

/** Instruction sets in the order of native/sources.json, `ref` first. */
export const INSTRUCTION_SETS: readonly string[] = ['ref', ...Object.keys(readJson().kernels as object).slice(1)];

/** Names of the kernels: the folders below native/kernels. */
export function kernelNames(): string[] {
  return readdirSync(join(ROOT, FOLDER), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Instruction sets of the rows of a kernel's table, best first. Throws for a row with the name of another kernel or set. */
export function rowsOf(kernel: string): string[] {
  const path = `${FOLDER}/${kernel}/${kernel}_table.cc`;
  return [...readSource(path).matchAll(/^ {4}\{"(\w+)"/gm)].map(([, row]) => {
    const word = INSTRUCTION_SETS.find((set) => row === `${kernel}_${set}`);
    if (word === undefined) throw new Error(`${path}: '${row}' is not the kernel and an instruction set`);
    return word;
  });
}

/** native/sources.json with its lists of kernel files as the tables have rows (what has no row is not compiled), and the engine's. */
export function sourcesPage(): string {
  const sources = readJson();
  const names = kernelNames();
  const filesOf = (ending: string, kernels = names): string[] =>
    kernels.map((kernel) => `${FOLDER}/${kernel}/${kernel}_${ending}.cc`);
  const shared = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.cc'));
  const baseline = [
    ...shared.sort().map((name) => `${FOLDER}/${name}`),
    ...names.flatMap((kernel) => [...filesOf('ref', [kernel]), ...filesOf('table', [kernel])]),
  ];
  const sets = INSTRUCTION_SETS.slice(1).map((set) => [
    set,
    filesOf(
      set,
      names.filter((kernel) => rowsOf(kernel).includes(set)),
    ),
  ]);
  const kernels = { baseline, ...Object.fromEntries(sets) };
  const engine = ['engine', 'probe'].flatMap((folder) => sourceFiles(`native/${folder}`, ['.cc']));
  const lists = { kernels, checks: filesOf('check'), engine };
  let text = readSource('native/sources.json');
  for (const [name, value] of Object.entries(lists)) {
    const start = text.indexOf(`  "${name}": `);
    const end = text.indexOf(Array.isArray(value) ? '\n  ]' : '\n  }', start) + 4;
    const body = JSON.stringify({ [name]: value }, undefined, 2).slice(2, -2);
    text = text.slice(0, start) + body + text.slice(end);
  }
  if (JSON.stringify(JSON.parse(text)) !== JSON.stringify({ ...sources, ...lists }))
    throw new Error('native/sources.json: its lists of kernels are not where they are looked for');
  return text;
}

function readJson(): Record<string, unknown> {
  return JSON.parse(readSource('native/sources.json')) as Record<string, unknown>;
}
