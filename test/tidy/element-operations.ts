import { readSource } from './sources';

/** How a list of element-wise operations is written, and what of it TypeScript gets. */
interface List {
  readonly source: string;
  readonly macro: string;
  /** The columns behind number and symbol; the first is the word. */
  readonly columns: RegExp;
  /** Fields of an operation besides its name, of the columns behind the word. */
  readonly fields: (columns: readonly string[]) => string;
  readonly about: readonly string[];
  readonly list: string;
  readonly type: string;
}

/** lib/core/binary-operation.ts: the list of binary operations for the TypeScript side. */
export function binaryOperationsSource(): string {
  return listSource({
    source: 'native/core/binary_operations.def',
    macro: 'HONE_BINARY_OPERATION',
    columns: /(\w+), (kCommutes|kOrdered), \d+/,
    fields: ([order]) => `, commutative: ${order === 'kCommutes'}`,
    about: [
      'Element-wise operations of two operands that the engine computes; the place in the list is the number in plan files.',
      '`commutative`: operands may change places.',
    ],
    list: 'BINARY_OPERATIONS',
    type: 'BinaryOperation',
  });
}

/** lib/core/unary-operation.ts: the list of float functions of one operand for the TypeScript side. */
export function unaryOperationsSource(): string {
  return listSource({
    source: 'native/core/unary_operations.def',
    macro: 'HONE_UNARY_OPERATION',
    columns: /(\w+), \d+/,
    fields: () => '',
    about: [
      'Element-wise float functions of one operand that the engine computes; the place in the list is the number in plan files.',
    ],
    list: 'UNARY_OPERATIONS',
    type: 'UnaryOperation',
  });
}

/** lib/core/reduce-operation.ts: the list of accumulating reductions for the TypeScript side. */
export function reduceOperationsSource(): string {
  return listSource({
    source: 'native/core/reduce_operations.def',
    macro: 'HONE_REDUCE_OPERATION',
    columns: /(\w+), \d+/,
    fields: () => '',
    about: [
      'Reductions of float32 that accumulate, as the engine has them; the place in the list is the number in plan files.',
    ],
    list: 'REDUCE_OPERATIONS',
    type: 'ReduceOperation',
  });
}

/** lib/core/integer-operation.ts: the list of integer operations for the TypeScript side. */
export function integerOperationsSource(): string {
  return listSource({
    source: 'native/core/integer_operations.def',
    macro: 'HONE_INTEGER_OPERATION',
    columns: /(\w+), (kCommutes|kOrdered)/,
    fields: ([order]) => `, commutative: ${order === 'kCommutes'}`,
    about: [
      'Element-wise operations of two integers that the engine computes; the place in the list is the number in plan files.',
      '`commutative`: operands may change places.',
    ],
    list: 'INTEGER_OPERATIONS',
    type: 'IntegerOperation',
  });
}

/** lib/core/comparison.ts: the list of comparisons for the TypeScript side. */
export function comparisonsSource(): string {
  return listSource({
    source: 'native/core/comparisons.def',
    macro: 'HONE_COMPARISON',
    columns: /(\w+), [=!<>]+/,
    fields: () => '',
    about: ['Comparisons of two numbers that the engine makes; the place in the list is the number in plan files.'],
    list: 'COMPARISONS',
    type: 'Comparison',
  });
}

function listSource({ source, macro, columns, fields, about, list, type }: List): string {
  const text = readSource(source).replace(/^\s*(\/\/|#).*$/gm, '');
  const rows = [...text.matchAll(new RegExp(`${macro}\\((\\d+), \\w+, ${columns.source}\\)`, 'g'))];
  if (rows.length === 0 || rows.length !== text.split(macro).length - 1)
    throw new Error(`${source}: a row cannot be read`);
  const lines = rows.map(([, number, word, ...rest], index) => {
    if (Number(number) !== index) throw new Error(`${source}: ${word} has the number ${number} in place ${index}`);
    return `  { name: '${word}'${fields(rest)} },`;
  });
  return [
    `// Generated from ${source} by \`npm run docs\`.`,
    '',
    ...(about.length === 1 ? [`/** ${about[0]} */`] : ['/**', ...about.map((line) => ` * ${line}`), ' */']),
    `export const ${list} = [`,
    ...lines,
    '] as const;',
    '',
    '/** Name of such an operation. */',
    `export type ${type} = (typeof ${list})[number]['name'];`,
    '',
  ].join('\n');
}
