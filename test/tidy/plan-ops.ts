import { type LayoutName, layoutOf } from '../../lib/plan/format';
import { rowsOf } from './kernel-files';
import { readSource } from './sources';

const TABLE = 'native/engine/plan_ops.def';

/** One row of the table of engine operations, as the C++ side reads it. */
export interface OpRow {
  readonly number: number;
  readonly symbol: string;
  readonly word: string;
  readonly family: string;
  readonly params: string;
  readonly work: string;
  readonly int8: string;
  /** `gpu_row()`, or `cpu_only("why")`. */
  readonly gpu: string;
  readonly outputs: readonly Operand[];
  readonly inputs: readonly Operand[];
}

interface Operand {
  readonly name: string;
  readonly kind: string;
  readonly optional: boolean;
  readonly inPlace: boolean;
  readonly coded: boolean;
}

/** Element types that an operand may have, and what they say of the arithmetic of its operation. */
const KINDS: Readonly<Record<string, 'int8' | 'float' | 'any'>> = {
  kReal: 'float',
  kGrid: 'int8',
  kByte: 'int8',
  kAny: 'any',
  kNumber: 'any',
  kWhole: 'any',
  kIndex: 'any',
  kTruth: 'any',
  kConstS8: 'any',
  kConstU8: 'any',
  kConstS32: 'any',
  kConstF32: 'any',
};

/** The rows of `native/engine/plan_ops.def`. Throws for a row that is not written as the others are. */
export function readPlanOps(source = readSource(TABLE)): OpRow[] {
  const text = source.replace(/^\s*(\/\/|#).*$/gm, '');
  const rows = text
    .split('HONE_PLAN_OP(')
    .slice(1)
    .map((row) => row.trim().replace(/\)$/, '').replace(/\s+/g, ' '));
  return rows.map((row, index) => {
    const fields = /^(\d+), (\w+), (\w+), (\w+), (\w+), (\w+), (\w+), (gpu_row\(\)|cpu_only\("[^"]+"\)), /.exec(row);
    if (fields === null) throw new Error(`${TABLE}: cannot read row ${index}: ${row}`);
    const [head, number, symbol, word, family, params, work, int8, gpu] = fields;
    if (Number(number) !== index) throw new Error(`${TABLE}: row ${index} has the number ${number}`);
    if (work !== 'kMoves' && work !== 'kComputes') throw new Error(`${TABLE}: ${word}: '${work}' is no kind of work`);
    const operands = row
      .slice(head.length)
      .split(/,\s*(?=out\(|in\()/)
      .map((operand) => readOperand(operand, word));
    const outputs = operands.filter(({ output }) => output);
    const inputs = operands.filter(({ output }) => !output);
    return { number: index, symbol, word, family, params, work, int8, gpu, outputs, inputs };
  });
}

function readOperand(text: string, word: string): Operand & { readonly output: boolean } {
  const found = /^(out|in)\("(\w+)", (\w+)\)((?:\.(?:optional|in_place|coded)\(\))*)$/.exec(text.trim());
  if (found === null || !(found[3] in KINDS)) throw new Error(`${TABLE}: ${word}: cannot read operand ${text}`);
  const [, side, name, kind, marks] = found;
  const [optional, inPlace, coded] = ['optional', 'in_place', 'coded'].map((mark) => marks.includes(`.${mark}()`));
  return { output: side === 'out', name, kind, optional, inPlace, coded };
}

/** lib/plan/plan-ops.ts: the table of engine operations for the TypeScript side. */
export function planOpsSource(): string {
  return [
    `// Generated from ${TABLE} by \`npm run docs\`.`,
    "import type { OpRule } from './op-rule';",
    '',
    '/** Engine operations; the place in the table is the number in the file. */',
    'export const PLAN_OPS = {',
    ...readPlanOps().flatMap(ruleLines),
    '} as const satisfies Record<string, OpRule>;',
    '',
    'export type PlanOp = keyof typeof PLAN_OPS;',
    '/** Operations in the order of their numbers. */',
    'export const PLAN_OP_NAMES = Object.keys(PLAN_OPS) as readonly PlanOp[];',
    '',
  ].join('\n');
}

function ruleLines({ word, family, params, work, int8, gpu, outputs, inputs }: OpRow): string[] {
  const names = (operands: readonly Operand[]): string =>
    `[${operands.map(({ name, optional }) => `'${name}${optional ? '?' : ''}'`).join(', ')}]`;
  const inPlace = inputs.flatMap((input, index) => (input.inPlace ? [index] : []));
  const kinds = [...outputs, ...inputs].map(({ kind }) => KINDS[kind]);
  const domain = (['int8', 'float'] as const).find((wanted) => kinds.includes(wanted)) ?? 'any';
  return [
    `  ${word}: {`,
    `    family: '${family}',`,
    `    outputs: ${names(outputs)},`,
    `    inputs: ${names(inputs)},`,
    `    inPlace: [${inPlace.join(', ')}],`,
    `    coded: [${inputs.flatMap((input, index) => (input.coded ? [index] : [])).join(', ')}],`,
    `    params: ${params === 'void' ? 'undefined' : `'${recordOf(params)}'`},`,
    `    domain: '${domain}',`,
    `    moves: ${work === 'kMoves'},`,
    `    int8Form: ${int8 === 'none' ? 'undefined' : `'${int8}'`},`,
    `    rows: [${rowsOf(word)
      .filter((set) => set !== 'ref')
      .map((set) => `'${set}'`)
      .join(', ')}],`,
    `    gpu: '${gpu.replace(/cpu_only\("(.+)"\)/, 'cpu only: $1').replace('gpu_row()', 'gpu row')}',`,
    '  },',
  ];
}

/** Name in lib/plan/format.ts of a record of plan_format.h. */
function recordOf(struct: string): string {
  return struct.replace('Plan', '').toLowerCase();
}

/** docs/formats.md with its table of operations. */
export function formatsPage(): string {
  const [open, close] = [/<!-- operations: .* -->\n/, '<!-- end of operations -->'];
  const page = readSource('docs/formats.md');
  const start = open.exec(page);
  const end = page.indexOf(close);
  if (start === null || end < 0) throw new Error('docs/formats.md has lost the marks around its table of operations');
  const head = page.slice(0, start.index + start[0].length);
  return [head, ...operationsTable().map((line) => `${line}\n`), page.slice(end)].join('');
}

function operationsTable(): string[] {
  const rows = readPlanOps().map(({ number, word, params, inputs, outputs, gpu }) => {
    const layout = params === 'void' ? '' : recordOf(params);
    const bytes = layout === '' ? 0 : layoutOf(layout as LayoutName).bytes;
    const inPlace = inputs.filter((input) => input.inPlace).map(({ name }) => name);
    const device = gpu.replace(/cpu_only\("(.+)"\)/, '$1').replace('gpu_row()', 'yes');
    const cells = [word, number, layout, bytes, textOf(outputs), textOf(inputs), inPlace.join(', '), device];
    return `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|`;
  });
  return [
    '| operation | number | parameters | bytes | outputs | inputs | in place | GPU |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ];
}

/** Operands with their kinds, for people. */
function textOf(operands: readonly Operand[]): string {
  return operands
    .map(({ name, kind, optional, coded }) => {
      const type = kind.replace(/^k(Const)?/, '').toLowerCase();
      return `${name} ${type}${coded ? '*' : ''}${optional ? '?' : ''}`;
    })
    .join(', ');
}
