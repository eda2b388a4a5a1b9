import { INSTRUCTION_SETS, kernelNames, rowsOf } from './kernel-files';
import { readSource } from './sources';

const COSTS = '## What zero points of the weights cost';

/**
 * docs/kernels.md: which kernel has which instruction-set rows, read from the kernel tables, and what zero points cost, from the lines of
 * their trial; then what stands there by hand.
 */
export function kernelTable(): string {
  const page = readSource('docs/kernels.md');
  const notes = page.indexOf('\n## ', page.indexOf(COSTS) + COSTS.length);
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
    '',
    COSTS,
    '',
    'Any weights and any zero points are exact, and no int8 layer reaches `ref` on any instruction set (`check_kernels` goes through',
    'a wide table of shapes). A zero point costs nothing where it can be subtracted when weights are packed: always on `avx2`, whose weights have 16 bits,',
    'elsewhere in channels whose weights less the zero point fit int8. Depthwise kernels whose instructions sum four taps split what fits no int8 over',
    'places that a window of 3, 5 or 7 rows leaves empty. What is left is multiplied by sums of the activations, once for each',
    'window. At most, with such zero points in every channel, the cost of a layer is this many times that without (`bench/results/',
    'zero-points.jsonl`: time of pairs on x64, instructions under qemu on ARM), median of the shapes and the largest:',
    '',
    `| | ${FAST_SETS.join(' | ')} |`,
    `| --- | ${FAST_SETS.map(() => ':-:').join(' | ')} |`,
    ...zeroPointCosts(),
    page.slice(notes),
  ].join('\n');
}

const FAST_SETS = INSTRUCTION_SETS.filter((word) => word !== 'ref');

/** Median and largest cost of each int8 kernel by instruction set, out of the last lines of the trial. */
function zeroPointCosts(): string[] {
  interface Line {
    readonly name: string;
    readonly shape: string;
    readonly ratio: number;
    readonly ratio_of_least?: number;
    /** Only in lines of earlier kernels: their commit. */
    readonly kernels?: string;
  }
  const last = new Map<string, Line>();
  for (const text of readSource('bench/results/zero-points.jsonl').trim().split('\n')) {
    const line = JSON.parse(text) as Line;
    if (line.kernels === undefined) last.set(`${line.name} ${line.shape}`, line);
  }
  const lines = [...last.values()];
  return ['conv_s8', 'dwconv_s8', 'fc_s8'].map((kernel) => {
    const cells = FAST_SETS.map((word) => {
      const costs = lines
        .filter(({ name }) => name === `${kernel}_${word}`)
        .map(({ ratio, ratio_of_least: ofLeast }) => Math.min(ratio, ofLeast ?? ratio))
        .sort((a, b) => a - b);
      const text = (index: number) => costs[index].toFixed(2);
      return costs.length === 0 ? '' : `${text(costs.length >> 1)} (${text(costs.length - 1)})`;
    });
    return `| \`${kernel}\` | ${cells.join(' | ')} |`;
  });
}
