import { readSource } from './sources';

/** Kernels that multiply, whose rows compute several output channels at a time. */
const KERNELS = ['conv_s8', 'dwconv_s8', 'fc_s8'];

interface Format {
  readonly block: string;
  /** k_group of a GemmFormat, taps of a DwconvFormat. */
  readonly depth: string;
  readonly repeated: boolean;
}

const NONE: Format = { block: '1', depth: '1', repeated: false };

/** lib/compress/structured/kernel-rows.ts: what the rows of the multiplying kernels compute at a time, read from their tables. */
export function kernelRowsSource(): string {
  const tables = KERNELS.flatMap((kernel) => [`  ${kernel}: [`, ...rowsOf(kernel), '  ],']);
  return [
    '// Generated from the tables below native/kernels by `npm run docs`.',
    "import type { KernelRow } from './kernel-row';",
    '',
    '/** Rows of the kernels that multiply, best first, those of all instruction sets. */',
    'export const KERNEL_ROWS = {',
    ...tables,
    `} as const satisfies Record<string, readonly KernelRow[]>;`,
    '',
  ].join('\n');
}

function rowsOf(kernel: string): string[] {
  const header = readSource(`native/kernels/${kernel}/${kernel}_rows.h`);
  const source = readSource(`native/kernels/${kernel}/${kernel}_table.cc`);
  const found = [
    ...source.matchAll(
      new RegExp(`\\{"${kernel}_(\\w+)",\\s*kCpu\\w+,\\s*fits_(\\w+),((?:[^{}]|\\{[^}]*\\})*)\\}`, 'g'),
    ),
  ];
  return found.map(([, isa, fits, rest]) => {
    const name = /\bk(\w+)Format\b/.exec(rest)?.[1];
    // A row that packs has a format: without this, a table of another form would give a model of no costs.
    if ((name === undefined) !== (isa === 'ref')) throw new Error(`${kernel}_${isa}: no format found in its row`);
    const { block, depth, repeated } = name === undefined ? NONE : formatOf(header, name);
    const half = new RegExp(`doubles_channels\\([^{]*\\{[^}]*<= k${name}Format\\.block / 2;`).test(header);
    const gathered = /gathered_depth/.test(rest);
    return `    { isa: '${isa}', fits: '${fits}', block: ${block}, depth: ${depth}, gathered: ${gathered}, halves: ${half}, repeated: ${repeated} },`;
  });
}

function formatOf(header: string, name: string): Format {
  const [, kind, fields] = new RegExp(`(\\w+)Format k${name}Format = \\{([^}]*)\\}`).exec(header)!;
  const [block, depth, ...others] = fields.split(', ');
  return { block, depth, repeated: kind === 'Dwconv' && others.at(-1) === 'true' };
}
