import { readSource } from './sources';

const LIST = 'native/core/binary_operations.def';

/** lib/core/binary-operation.ts: the list of binary operations for the TypeScript side. */
export function binaryOperationsSource(): string {
  const text = readSource(LIST).replace(/^\s*(\/\/|#).*$/gm, '');
  const rows = [...text.matchAll(/HONE_BINARY_OPERATION\((\d+), \w+, (\w+), (kCommutes|kOrdered)\)/g)];
  if (rows.length === 0 || rows.length !== text.match(/HONE_BINARY_OPERATION/g)?.length)
    throw new Error(`${LIST}: a row cannot be read`);
  const lines = rows.map(([, number, word, order], index) => {
    if (Number(number) !== index) throw new Error(`${LIST}: ${word} has the number ${number} in place ${index}`);
    return `  { name: '${word}', commutative: ${order === 'kCommutes'} },`;
  });
  return [
    `// Generated from ${LIST} by \`npm run docs\`.`,
    '',
    '/**',
    ' * Element-wise operations of two operands that the engine computes; the place in the list is the number in plan files.',
    ' * `commutative`: operands may change places.',
    ' */',
    'export const BINARY_OPERATIONS = [',
    ...lines,
    '] as const;',
    '',
    '/** Name of such an operation. */',
    "export type BinaryOperation = (typeof BINARY_OPERATIONS)[number]['name'];",
    '',
  ].join('\n');
}
