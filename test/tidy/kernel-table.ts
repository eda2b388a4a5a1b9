import { INSTRUCTION_SETS, kernelNames, rowsOf } from './kernel-files';
import { readSource } from './sources';

/** docs/kernels.md: which kernel has which instruction-set rows, read from the kernel tables; then what stands there by hand. */
export function kernelTable(): string {
  const page = readSource('docs/kernels.md');
  const notes = page.indexOf('\n## ');
  if (notes < 0) throw new Error('docs/kernels.md has lost what stands behind its table');
  const rows = kernelNames().map((name) => {
    const purpose =
      /\/\/\/ ([^\n]+?)(?:[.:] |[.:]\n|\n)/.exec(readSource(`native/kernels/${name}/${name}.h`))?.[1] ?? '';
    const found = rowsOf(name);
    const marks = INSTRUCTION_SETS.map((word) => (found.includes(word) ? '✓' : ''));
    return `| \`${name}\` | ${purpose} | ${marks.join(' | ')} |`;
  });
  return [
    '# Kernels',
    '',
    'The table is generated from those below `native/kernels` by `npm run docs`. Every row of a kernel gives the same bits; `ref` is the',
    'definition. The engine takes the first row that the CPU (or `HONE_CPU`) and the layer allow.',
    '',
    `| kernel | what | ${INSTRUCTION_SETS.join(' | ')} |`,
    `| --- | --- | ${INSTRUCTION_SETS.map(() => ':-:').join(' | ')} |`,
    ...rows,
    page.slice(notes),
  ].join('\n');
}
