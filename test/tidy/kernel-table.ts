import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readSource } from './sources';

const WORDS = ['ref', 'avx2', 'avx512vnni', 'neon', 'neon_dotprod', 'neon_i8mm'];

/** docs/kernels.md: which kernel has which instruction-set rows, read from the kernel tables. */
export function kernelTable(): string {
  const folders = readdirSync(join(ROOT, 'native/kernels'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const rows = folders.map((name) => {
    const files = readdirSync(join(ROOT, 'native/kernels', name));
    const purpose =
      /\/\/\/ ([^\n]+?)(?:[.:] |[.:]\n|\n)/.exec(readSource(`native/kernels/${name}/${name}.h`))?.[1] ?? '';
    const marks = WORDS.map((word) => (files.includes(`${name}_${word}.cc`) ? '✓' : ''));
    return `| \`${name}\` | ${purpose} | ${marks.join(' | ')} |`;
  });
  return [
    '# Kernels',
    '',
    'Generated from `native/kernels` by `npm run docs`. Every row of a kernel gives the same bits; `ref` is the definition.',
    'The engine takes the first row that the CPU (or `HONE_CPU`) and the layer allow.',
    '',
    `| kernel | what | ${WORDS.join(' | ')} |`,
    `| --- | --- | ${WORDS.map(() => ':-:').join(' | ')} |`,
    ...rows,
    '',
  ].join('\n');
}
